import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { logs, SeverityNumber } from '@opentelemetry/api-logs'
import { afterEach, describe, expect, it } from 'vitest'
import { withContext } from '../../src/context/context.ts'
import { loggerProvider } from '../../src/otel/index.ts'
import { testLogger } from '../support/test-sink.ts'
import { SPAN_ID, TRACE_ID, TRACEPARENT, traceOf } from '../support/traces.ts'

describe('a library that logs through the API', () => {
  afterEach(() => logs.disable())

  function setup(level: 'trace' | 'warn' = 'trace') {
    const { log, sink } = testLogger({ level, redact: ['password'] })
    logs.setGlobalLoggerProvider(loggerProvider(log))
    return { library: logs.getLogger('library', '1.2.3', { attributes: { part: 'db' } }), sink }
  }

  it('is logged with all that it says', () => {
    const { library, sink } = setup()

    library.emit({
      severityNumber: SeverityNumber.WARN2,
      severityText: 'careful',
      body: { a: [1, null, new Uint8Array([7])] },
      attributes: { orderId: 7, password: 'x' },
      eventName: 'order.placed',
      timestamp: [1_790_000_000, 5],
    })

    const { record, body, attributes, scope, severity } = sink.last
    expect([severity, record.severityText, record.eventName]).toEqual([14, 'careful', 'order.placed'])
    expect(record.timeUnixNano).toBe(1_790_000_000_000_000_005n)
    expect(body).toEqual({ a: [1n, null, new Uint8Array([7])] })
    expect(scope).toEqual({ name: 'library', version: '1.2.3' })
    expect(attributes).toEqual({
      orderId: 7n,
      password: '[Redacted]',
      'otel.scope.part': 'db',
    })
  })

  it('belongs to the context that it gives, else to the one that it runs in', () => {
    const { library, sink } = setup()
    const span = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 }

    library.emit({ body: 'x', context: trace.setSpanContext(ROOT_CONTEXT, span) })
    withContext({ traceparent: TRACEPARENT }, () => library.emit({ body: 'x' }))
    library.emit({ body: 'x' })

    expect(sink.arrived.map(({ record }) => traceOf(record))).toEqual([TRACEPARENT, TRACEPARENT, ''])
  })

  it.each([
    ['an error', new TypeError('boom'), { 'exception.type': 'TypeError', 'exception.message': 'boom' }],
    ['what looks like one', { name: 'OddError', message: 'boom' }, { 'exception.type': 'OddError' }],
    ['a text', 'boom', { 'exception.message': 'boom' }],
  ])('has exception.* of %s', (_, exception, expected) => {
    const { library, sink } = setup()

    library.emit({ body: 'x', exception })

    expect(sink.last.attributes).toMatchObject(expected)
  })

  it.each([
    [undefined, undefined, 9],
    [SeverityNumber.UNSPECIFIED, 'error', 17],
    [SeverityNumber.UNSPECIFIED, 'odd', 9],
  ])('is logged without a severity: %s %s', (severityNumber, severityText, severity) => {
    const { library, sink } = setup()

    library.emit({
      body: 'x',
      ...(severityNumber === undefined ? {} : { severityNumber }),
      ...(severityText === undefined ? {} : { severityText }),
    })

    expect(sink.last.severity).toBe(severity)
  })

  it('is told what would be logged', () => {
    const { library, sink } = setup('warn')

    expect(library.enabled({ severityNumber: SeverityNumber.INFO4 })).toBe(false)
    expect(library.enabled({ severityNumber: SeverityNumber.WARN })).toBe(true)
    library.emit({ severityNumber: SeverityNumber.DEBUG, body: 'x' })

    expect(sink.arrived).toEqual([])
  })

  it.each([
    ['milliseconds', 1_790_000_000_123.5, 1_790_000_000_123_500_000n],
    ['a date', new Date(1_790_000_000_123), 1_790_000_000_123_000_000n],
    ['the clock of the process', 1.5, undefined],
  ])('gives its time in %s', (_, timestamp, nanos) => {
    const { library, sink } = setup()

    library.emit({ body: 'x', timestamp })

    const start = BigInt(Math.floor((performance.timeOrigin + 1.5) * 1000)) * 1000n
    const difference = sink.last.record.timeUnixNano - (nanos ?? start)
    // A fraction of a microsecond is beyond what a double has of such a time.
    expect(difference > -1000n && difference < 2000n).toBe(true)
  })
})
