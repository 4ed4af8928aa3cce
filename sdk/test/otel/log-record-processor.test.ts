import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider } from '@opentelemetry/sdk-logs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withContext } from '../../src/context/context.ts'
import { SluiceLogRecordProcessor } from '../../src/otel/index.ts'
import { type Collector, startHttpCollector } from '../pipe/kit/collector.ts'
import { deliveredIn } from '../support/delivered.ts'
import { SPAN_ID, TRACE_ID, TRACEPARENT, traceOf } from '../support/traces.ts'

describe('the processor of the SDK of OpenTelemetry', () => {
  let collector: Collector

  beforeEach(async () => {
    collector = await startHttpCollector()
  })

  afterEach(() => collector[Symbol.asyncDispose]())

  const processor = (more: object = {}) =>
    new SluiceLogRecordProcessor({ endpoint: `http://127.0.0.1:${collector.port}`, uid: false, ...more })
  const delivered = () => deliveredIn(collector.requests)

  it('delivers records as the SDK has made them', async () => {
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'shop', region: 'eu' }),
      processors: [processor({ redact: ['password'] })],
    })
    const span = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 }

    provider.getLogger('library', '1.2.3').emit({
      severityNumber: SeverityNumber.WARN,
      severityText: 'careful',
      body: { a: [1, null] },
      attributes: { orderId: 7, password: 'x' },
      eventName: 'order.placed',
      timestamp: [1_790_000_000, 5],
      exception: new TypeError('boom'),
      context: trace.setSpanContext(context.active(), span),
    })
    await provider.forceFlush()

    const [{ resource, scope, record, body, attributes }] = delivered()
    expect(resource).toMatchObject({ 'service.name': 'shop', region: 'eu' })
    expect(scope).toEqual({ name: 'library', version: '1.2.3' })
    expect(record).toMatchObject({ severityNumber: 13, severityText: 'careful', eventName: 'order.placed' })
    expect(record.timeUnixNano).toBe(1_790_000_000_000_000_005n)
    expect(traceOf(record)).toBe(TRACEPARENT)
    expect(body).toEqual({ a: [1n, null] })
    expect(attributes).toMatchObject({ orderId: 7n, password: '[Redacted]', 'exception.type': 'TypeError' })
    await provider.shutdown()
  })

  it('gives no severity and no trace to a record that has none', async () => {
    const provider = new LoggerProvider({ processors: [processor()] })

    withContext({ traceparent: TRACEPARENT }, () =>
      provider.getLogger('library').emit({ body: 'x', context: ROOT_CONTEXT }),
    )
    await provider.shutdown()

    const [{ record }] = delivered()
    expect([record.severityNumber, record.severityText, traceOf(record)]).toEqual([0, '', ''])
  })

  it('waits for what a resource is still to learn', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'shop', region: promise }),
      processors: [processor({ batch: { delayMillis: 1 } })],
    })

    provider.getLogger('library').emit({ body: 'x' })
    resolve('eu')
    await collector.received(1)

    expect(delivered()[0].resource).toMatchObject({ 'service.name': 'shop', region: 'eu' })
    await provider.shutdown()
  })

  it('does not wait for it when it ends, or holds a lot', async () => {
    const never = new Promise<string>(() => {})
    const logger = (one: SluiceLogRecordProcessor) =>
      new LoggerProvider({
        resource: resourceFromAttributes({ 'service.name': 'shop', region: never }),
        processors: [one],
      }).getLogger('library')
    const [ending, holding] = [processor(), processor({ batch: { maxRecords: 1 } })]

    logger(ending).emit({ body: 'x' })
    await ending.shutdown()
    const held = logger(holding)
    for (let i = 0; i < 40; i++) held.emit({ body: 'y'.repeat(60_000) })
    await collector.received(10)

    expect(delivered()[0]).toMatchObject({ body: 'x', resource: { 'service.name': 'shop' } })
    await holding.shutdown()
  })

  it('keeps the records of each resource together', async () => {
    const shared = processor()
    for (const name of ['shop', 'payments']) {
      const resource = resourceFromAttributes({ 'service.name': name })
      new LoggerProvider({ resource, processors: [shared] }).getLogger('library').emit({ body: name })
    }

    await shared.shutdown()

    const found = delivered().map(({ resource, body }) => [resource['service.name'], body])
    expect(found.length).toBe(2)
    expect(found).toContainEqual(['shop', 'shop'])
    expect(found).toContainEqual(['payments', 'payments'])
  })

  it('passes on all that the SDK lets pass, unless it is told a level', async () => {
    const [all, some] = [processor(), processor({ level: 'warn' })]
    for (const one of [all, some]) {
      const logger = new LoggerProvider({ processors: [one] }).getLogger('library')
      logger.emit({ severityNumber: SeverityNumber.TRACE, body: 'low' })
      logger.emit({ severityNumber: SeverityNumber.ERROR, body: 'high' })
      await one.shutdown()
    }

    expect(delivered().map(({ body }) => body)).toEqual(['low', 'high', 'high'])
    expect(some.enabled({ severityNumber: SeverityNumber.INFO })).toBe(false)
  })
})
