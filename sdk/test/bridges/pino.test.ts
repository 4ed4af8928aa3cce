import { hostname } from 'node:os'
import { pino, stdSerializers, stdTimeFunctions } from 'pino'
import { describe, expect, it } from 'vitest'
import { pinoDestination, traceMixin } from '../../src/bridges/pino.ts'
import { withContext } from '../../src/context/context.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'
import { TRACEPARENT, traceOf } from '../support/traces.ts'

interface Bridged {
  readonly log: pino.Logger
  readonly sink: TestSink
}

function bridged(
  options: pino.LoggerOptions = {},
  lineOptions: Parameters<typeof pinoDestination>[1] = {},
): Bridged {
  const { log, sink } = testLogger({ level: 'trace' })
  return { log: pino({ level: 'trace', ...options }, pinoDestination(log, lineOptions)), sink }
}

describe('a pino logger over the destination', () => {
  it('logs message, fields and bindings as they are', () => {
    const { log, sink } = bridged()

    log.child({ tenant: 'blue' }).info({ orderId: 7, items: [{ sku: 'a' }] }, 'order %s placed', 'seven')

    expect(sink.last.body).toBe('order seven placed')
    expect(sink.last.attributes).toEqual({ tenant: 'blue', orderId: 7n, items: [{ sku: 'a' }] })
  })

  it.each([
    ['trace', 1, 'TRACE'],
    ['debug', 5, 'DEBUG'],
    ['info', 9, 'INFO'],
    ['warn', 13, 'WARN'],
    ['error', 17, 'ERROR'],
    ['fatal', 21, 'FATAL'],
  ] as const)('maps the level %s', (level, number, text) => {
    const { log, sink } = bridged()

    log[level]('x')

    expect([sink.last.severity, sink.last.record.severityText]).toEqual([number, text])
  })

  it('maps levels that are labels', () => {
    const { log, sink } = bridged({ formatters: { level: (label) => ({ level: label.toUpperCase() }) } })

    log.warn('x')

    expect([sink.last.severity, sink.last.record.severityText]).toEqual([13, 'WARN'])
  })

  it('maps custom levels by what is known of their name, else by their number', () => {
    const customLevels = { notice: 33, audit: 37, verbose: 15, loudest: 90 }
    const { log: sluice, sink } = testLogger({ level: 'trace' })
    const log = pino({ customLevels, level: 'trace' }, pinoDestination(sluice, { customLevels }))

    for (const level of ['notice', 'audit', 'verbose', 'loudest'] as const) log[level]('x')

    expect(sink.arrived.map(({ severity, record }) => [severity, record.severityText])).toEqual([
      [10, 'notice'],
      [11, 'audit'],
      [6, 'verbose'],
      [24, 'loudest'],
    ])
  })

  it.each([
    ['milliseconds', stdTimeFunctions.epochTime],
    ['seconds', stdTimeFunctions.unixTime],
    ['ISO 8601', stdTimeFunctions.isoTime],
    ['ISO 8601 with nanoseconds', stdTimeFunctions.isoTimeNano],
  ])('takes the time in %s', (_, timestamp) => {
    const { log, sink } = bridged({ timestamp })

    log.info('x')

    expect(sink.last.attributes).toEqual({})
    expect(Math.abs(Number(sink.last.record.timeUnixNano / 1_000_000n) - Date.now())).toBeLessThan(2000)
  })

  it('keeps the nanoseconds of a time', () => {
    const { log, sink } = bridged({ timestamp: () => ',"time":"2026-01-02T03:04:05.123456789Z"' })

    log.info('x')

    const millis = BigInt(Date.UTC(2026, 0, 2, 3, 4, 5, 123))
    expect(sink.last.record.timeUnixNano).toBe(millis * 1_000_000n + 456_789n)
  })

  it('makes exception.* of an error', () => {
    const { log, sink } = bridged()
    const error = Object.assign(new TypeError('no price'), { code: 'E1' })

    log.error({ err: error, orderId: 7 }, 'order refused')

    expect(sink.last.body).toBe('order refused')
    expect(sink.last.attributes).toEqual({
      orderId: 7n,
      'exception.type': 'TypeError',
      'exception.message': 'no price',
      'exception.stacktrace': error.stack,
      'exception.properties': { code: 'E1' },
    })
  })

  it('takes the message of an error that is logged alone', () => {
    const { log, sink } = bridged()

    log.error(new Error('boom'))

    expect(sink.last.body).toBe('boom')
    expect(sink.last.attributes['exception.type']).toBe('Error')
  })

  it('tells the causes of an error where pino does', () => {
    const { log, sink } = bridged({
      errorKey: 'failure',
      serializers: { failure: stdSerializers.errWithCause },
    })
    const cause = new RangeError('inner')

    // Pino 10 looks for its serializer under `err` too.
    log.error({ failure: new Error('outer', { cause }) }, 'x')

    expect(sink.last.attributes['failure']).toMatchObject({ message: 'outer' })
    const own = bridged({ serializers: { err: stdSerializers.errWithCause } })
    own.log.error(new Error('outer', { cause }))
    expect(own.sink.last.attributes['exception.causes']).toEqual([{ type: 'RangeError', message: 'inner' }])
    expect(own.sink.last.attributes['exception.stacktrace']).toContain('Caused by: RangeError: inner')
  })

  it('reads other keys', () => {
    const { log, sink } = bridged(
      { messageKey: 'message', errorKey: 'error', serializers: { error: stdSerializers.err } },
      { messageKey: 'message', errorKey: 'error' },
    )

    log.error(new Error('boom'), 'it broke')

    expect(sink.last.body).toBe('it broke')
    expect(sink.last.attributes['exception.message']).toBe('boom')
  })

  it('leaves process and host to the resource, and keeps what the application says of others', () => {
    const { log, sink } = bridged()

    log.info({ pid: 1, hostname: `not-${hostname()}` }, 'x')
    log.info('y')

    expect(sink.arrived.map(({ attributes }) => attributes)).toEqual([
      { pid: 1n, hostname: `not-${hostname()}` },
      {},
    ])
  })

  it('belongs to the trace of the call', () => {
    const { log, sink } = bridged()

    withContext({ traceparent: TRACEPARENT }, () => log.info('x'))

    expect(traceOf(sink.last.record)).toBe(TRACEPARENT)
  })

  it('belongs to the trace that its line tells, which the mixin writes', () => {
    const lines: string[] = []
    const writer = pino({ mixin: traceMixin() }, { write: (line) => lines.push(line) })
    withContext({ traceparent: TRACEPARENT }, () => writer.info('x'))
    writer.info('without')
    const { log, sink } = testLogger()

    for (const line of lines) pinoDestination(log).write(line)

    expect(sink.arrived.map(({ record }) => traceOf(record))).toEqual([TRACEPARENT, ''])
    expect(sink.arrived.map(({ attributes }) => attributes)).toEqual([{}, {}])
  })

  it.each([
    ['a header', { traceparent: TRACEPARENT }, {}, TRACEPARENT],
    [
      'keys of its own',
      { t: TRACEPARENT.slice(3, 35), s: TRACEPARENT.slice(36, 52), f: 0 },
      { traceId: 't', spanId: 's', traceFlags: 'f' },
      TRACEPARENT.replace(/01$/, '00'),
    ],
  ])('reads the trace from %s', (_, fields, correlation, expected) => {
    const { log, sink } = bridged({}, { correlation })

    log.info(fields, 'x')

    expect(traceOf(sink.last.record)).toBe(expected)
    expect(sink.last.attributes).toEqual({})
  })

  it('keeps as fields what is no trace', () => {
    const { log, sink } = bridged()

    log.info({ trace_id: 'my own', span_id: 7 }, 'x')

    expect(traceOf(sink.last.record)).toBe('')
    expect(sink.last.attributes).toEqual({ trace_id: 'my own', span_id: 7n })
  })

  it('redacts what pino and what this logger is to redact', () => {
    const { log: sluice, sink } = testLogger({ redact: ['*.card'] })
    const log = pino({ redact: ['password'] }, pinoDestination(sluice))

    log.info({ password: 'x', payment: { card: 'y' } }, 'z')

    expect(sink.last.attributes).toEqual({ password: '[Redacted]', payment: { card: '[Redacted]' } })
  })

  it('sends at once after a fatal record, and tells when a flush is done', async () => {
    const { log, sink } = bridged()

    log.fatal('x')
    expect(sink.calls).toEqual(['flush undefined'])
    await new Promise<unknown>((resolve) => log.flush(resolve))

    expect(sink.calls).toEqual(['flush undefined', 'flush undefined'])
  })

  it('takes a line that is no record as a message', () => {
    const { log, sink } = testLogger()

    for (const line of ['not JSON\n', '[1]\n', 'null', '{"level":"__proto__","msg":1,"__proto__":{"a":1}}'])
      pinoDestination(log).write(line)

    expect(sink.arrived.map(({ severity, body }) => [severity, body])).toEqual([
      [9, 'not JSON'],
      [9, '[1]'],
      [9, 'null'],
      [9, 1n],
    ])
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })
})
