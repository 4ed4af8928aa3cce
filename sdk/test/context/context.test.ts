import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentTrace, currentTraceparent, withContext } from '../../src/context/context.ts'
import { testLogger } from '../support/test-sink.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${SPAN}-01`

function idsOf(record: { traceId: Uint8Array; spanId: Uint8Array; flags: number }) {
  const [traceId, spanId] = [record.traceId, record.spanId].map((id) => Buffer.from(id).toString('hex'))
  return [traceId, spanId, record.flags]
}

describe('withContext', () => {
  it('gives the trace to all that is logged within, also later', async () => {
    const { log, sink } = testLogger()

    log.info('before')
    await withContext({ traceparent }, async () => {
      log.info('within')
      await nextTurn()
      log.child({}).info('later')
    })
    log.info('after')

    expect(sink.arrived.map(({ record }) => idsOf(record))).toEqual([
      ['', '', 0],
      [TRACE, SPAN, 1],
      [TRACE, SPAN, 1],
      ['', '', 0],
    ])
  })

  it('gives attributes, below those of the call and of the logger', () => {
    const { log, sink } = testLogger()
    const child = log.child({ b: 'child' })

    withContext({ attributes: { a: 'outer', b: 'outer', c: 'outer', d: 'outer' } }, () => {
      withContext({ attributes: { c: 'inner' } }, () => child.info({ a: 'call' }))
      child.info('x')
    })

    expect(sink.arrived.map(({ attributes }) => attributes)).toEqual([
      { a: 'call', b: 'child', c: 'inner', d: 'outer' },
      { a: 'outer', b: 'child', c: 'outer', d: 'outer' },
    ])
  })

  it('redacts and limits attributes as each logger does', () => {
    const careful = testLogger({ redact: ['token'] })
    const open = testLogger()

    withContext({ attributes: { token: 'x' } }, () => {
      for (const { log } of [careful, open, careful]) log.info('x')
    })

    expect(careful.sink.arrived.map(({ attributes }) => attributes)).toEqual(
      Array(2).fill({ token: '[Redacted]' }),
    )
    expect(open.sink.last.attributes).toEqual({ token: 'x' })
  })

  it('keeps the trace of the context around it where it has none', () => {
    withContext({ traceparent }, () => {
      withContext({ attributes: { a: 1 } }, () => expect(currentTraceparent()).toBe(traceparent))
      withContext({ traceparent: 'nonsense' }, () => expect(currentTraceparent()).toBe(traceparent))
    })
    expect(currentTraceparent()).toBeUndefined()
  })

  it('makes a span or a trace when asked', () => {
    withContext({ traceparent, fresh: 'span' }, () => {
      expect(currentTrace()).toMatchObject({ traceId: TRACE, flags: 1 })
      expect(currentTrace()?.spanId).not.toBe(SPAN)
    })
    withContext({ traceparent, fresh: 'trace' }, () => expect(currentTrace()?.traceId).not.toBe(TRACE))
    withContext({ fresh: 'span' }, () => {
      expect(currentTraceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    })
    withContext({}, () => expect(currentTrace()).toBeUndefined())
  })

  it('answers with what the function answers', () => {
    expect(withContext({}, () => 7)).toBe(7)
    expect(() =>
      withContext({}, () => {
        throw new Error('x')
      }),
    ).toThrow('x')
  })

  it('takes attributes that log while they are read', () => {
    const { log, sink } = testLogger()
    const loud = {
      get a() {
        log.info('loud')
        return 1
      },
    }

    withContext({ attributes: { loud } }, () => log.info('x'))

    expect(sink.arrived.map(({ body, attributes }) => [body, attributes])).toEqual([
      ['loud', {}],
      ['x', { loud: { a: 1n } }],
    ])
  })
})

describe('the active span of @opentelemetry/api', () => {
  const storage = new AsyncLocalStorage<Context>()
  beforeAll(() => {
    const manager: ContextManager = {
      active: () => storage.getStore() ?? ROOT_CONTEXT,
      with: (active, fn, self, ...args) =>
        storage.run(active, () => fn.apply(self as ThisParameterType<typeof fn>, args)),
      bind: (_, target) => target,
      enable: () => manager,
      disable: () => manager,
    }
    context.setGlobalContextManager(manager)
  })
  afterAll(() => context.disable())

  const spanWith = (traceId: string, spanId: string) =>
    trace.wrapSpanContext({ traceId, spanId, traceFlags: 1 })
  function inSpan<T>(traceId: string, spanId: string, fn: () => T): T {
    return context.with(trace.setSpan(context.active(), spanWith(traceId, spanId)), fn)
  }
  const [traceA, spanA] = ['a'.repeat(32), 'a'.repeat(16)]
  const [traceB, spanB] = ['b'.repeat(32), 'b'.repeat(16)]

  it('gives its ids to the record', () => {
    const { log, sink } = testLogger()

    inSpan(traceA, spanA, () => {
      log.info('a')
      inSpan(traceB, spanB, () => log.info('b'))
      log.info('a')
    })

    expect(sink.arrived.map(({ record }) => idsOf(record))).toEqual([
      [traceA, spanA, 1],
      [traceB, spanB, 1],
      [traceA, spanA, 1],
    ])
  })

  it('counts more than the context around it, and less than one within it', () => {
    const { log, sink } = testLogger()

    withContext({ traceparent }, () => inSpan(traceA, spanA, () => log.info('span within')))
    inSpan(traceA, spanA, () => withContext({ traceparent }, () => log.info('context within')))
    inSpan(traceA, spanA, () => withContext({ attributes: { x: 1 } }, () => log.info('only attributes')))

    expect(sink.arrived.map(({ record }) => idsOf(record)[0])).toEqual([traceA, TRACE, traceA])
  })

  it('does not count when it is invalid', () => {
    const { log, sink } = testLogger()

    withContext({ traceparent }, () => inSpan('0'.repeat(32), spanA, () => log.info('x')))
    inSpan('nonsense', 'nonsense', () => log.info('y'))

    expect(sink.arrived.map(({ record }) => idsOf(record)[0])).toEqual([TRACE, ''])
  })
})
