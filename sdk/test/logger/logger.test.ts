import { describe, expect, it } from 'vitest'
import { createLoggerOver, type SinkParts } from '../../src/logger/create-logger.ts'
import { TestSink, testLogger } from '../support/test-sink.ts'

describe('a logger', () => {
  it('logs a message, and fields and a message, with the severity of the level', () => {
    const { log, sink } = testLogger({ service: 'shop', version: '1.2' })

    log.info('started')
    log.warn({ orderId: 7 }, 'order placed')

    const [first, second] = sink.arrived
    expect(first.body).toBe('started')
    expect(first.attributes).toEqual({})
    expect(first.scope).toEqual({ name: 'shop', version: '1.2' })
    expect([second.body, second.attributes]).toEqual(['order placed', { orderId: 7n }])
    expect([second.severity, second.record.severityNumber, second.record.severityText]).toEqual([
      13,
      13,
      'WARN',
    ])
  })

  it('has the levels of pino with the numbers of OpenTelemetry', () => {
    const { log, sink } = testLogger({ level: 'trace' })

    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]('x')

    expect(sink.arrived.map(({ record }) => [record.severityNumber, record.severityText])).toEqual([
      [1, 'TRACE'],
      [5, 'DEBUG'],
      [9, 'INFO'],
      [13, 'WARN'],
      [17, 'ERROR'],
      [21, 'FATAL'],
    ])
  })

  it('gives each record its time, and all of them in order', () => {
    const { log, sink } = testLogger()
    const before = BigInt(Date.now() - 3) * 1_000_000n

    for (let i = 0; i < 100; i++) log.info('x')

    const times = sink.arrived.map(({ record }) => record.timeUnixNano)
    expect(times.every((time, i) => time > (times[i - 1] ?? before))).toBe(true)
    expect(sink.arrived.every(({ record }) => record.observedTimeUnixNano === record.timeUnixNano)).toBe(true)
    expect(times[99] < BigInt(Date.now() + 3) * 1_000_000n).toBe(true)
  })

  it('gives each record a ULID that goes up with it, unless the caller gives one', () => {
    const { log, sink } = testLogger({ uid: true })

    for (let i = 0; i < 100; i++) log.info({ i }, 'x')
    log.info({ 'log.record.uid': 'mine' })

    const ids = sink.arrived.map(({ attributes }) => attributes['log.record.uid'] as string)
    expect(ids.pop()).toBe('mine')
    expect(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true)
    expect(ids).toEqual([...new Set(ids)].sort())
  })

  it('takes the values at the call: later changes have no effect', () => {
    const { log, sink } = testLogger()
    const order = { items: ['a'] }
    const child = log.child({ order })

    order.items.push('b')
    child.info({ call: order })
    order.items.push('c')

    expect(sink.last.attributes).toEqual({ call: { items: ['a', 'b'] }, order: { items: ['a'] } })
  })

  it('works with its methods taken apart from it', () => {
    const { log, sink } = testLogger()
    const { info, error } = log.child({ a: 1 })

    ;['x', 'y'].forEach((text) => info(text))
    Promise.reject(new Error('z')).catch(error)

    expect(sink.arrived.map(({ attributes }) => attributes)).toEqual([{ a: 1n }, { a: 1n }])
  })

  it('calls functions only when the level is logged', () => {
    const { log, sink } = testLogger()
    let calls = 0
    const costly = (): string => `call ${++calls}`

    log.debug(costly)
    log.debug({ a: 1 }, costly)
    log.info(costly)
    log.info({ a: 1 }, costly)
    log.info(() => ({ text: costly() }), 'with fields')

    expect(sink.arrived.map(({ body, attributes }) => [body, attributes])).toEqual([
      ['call 1', {}],
      ['call 2', { a: 1n }],
      ['with fields', { text: 'call 3' }],
    ])
  })

  it('says so when such a function throws', () => {
    const { log, sink } = testLogger()

    log.info(() => {
      throw new TypeError('not built')
    })

    expect(sink.last.body).toBe('[Throws]')
    expect(sink.last.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'not built',
    })
  })

  it('never throws, whatever it is called with', () => {
    const { log, sink } = testLogger({ code: true })
    const revoked = Proxy.revocable(() => {}, {})
    revoked.revoke()
    const hostile = [
      undefined,
      null,
      revoked.proxy,
      Symbol('s'),
      Object.create(null),
      new Proxy(
        {},
        {
          get() {
            throw new Error()
          },
        },
      ),
    ]
    const sloppy = log as unknown as Record<string, (...args: unknown[]) => unknown>

    for (const a of hostile) {
      for (const b of hostile) {
        sloppy.info(a, b)
        sloppy.info('%s %d %j', a, b, a)
        sloppy.event(a, b, a)
        sloppy.emit(a)
        sloppy.child(a, b)
        sloppy.isLevelEnabled(a)
      }
      log.level = a as never
    }

    expect(sink.arrived.length).toBeGreaterThanOrEqual(72)
    expect(log.level).toBe('info')
  })

  it('logs what is certain when the stack is at its end', () => {
    const { log, sink, lines } = testLogger()
    const sinkToTheBottom = (): void => {
      log.info({ a: { b: { c: [1, 2, 3] } } }, 'deep')
      sinkToTheBottom()
    }

    expect(sinkToTheBottom).toThrow(RangeError)
    log.info({ a: { b: 1 } }, 'still works')

    expect([sink.last.body, sink.last.attributes]).toEqual(['still works', { a: { b: 1n } }])
    expect(lines.length).toBeLessThanOrEqual(1)
  })

  it('logs where it was called from, when asked', () => {
    const { log, sink } = testLogger({ code: true })

    function placeOrder(): void {
      log.info('x')
    }
    placeOrder()

    expect(sink.last.attributes).toMatchObject({ 'code.function.name': 'placeOrder' })
    expect(sink.last.attributes['code.file.path']).toMatch(/^\/.*logger\.test\.ts$/)
    expect(sink.last.attributes['code.line.number']).toBeGreaterThan(100n)
  })

  it('has everything sent at once after a fatal record', () => {
    const { log, sink } = testLogger()

    log.fatal('out')
    log.error('in')

    expect(sink.calls).toEqual(['flush undefined'])
  })

  it('flushes and ends through its sink, also from a child', async () => {
    const { log, sink } = testLogger()

    expect(await log.child({}).flush(100)).toBe(true)
    expect(await log.child({}).shutdown()).toBe(true)
    expect(sink.calls).toEqual(['flush 100', 'shutdown undefined'])
  })

  it('logs what the application threw and nobody caught', () => {
    const sink = new TestSink()
    let told: SinkParts | undefined
    createLoggerOver((parts) => ((told = parts), sink), { base: { a: 1 }, uid: false }, {})

    told?.onUncaught(new TypeError('lost'), 'uncaughtException')
    told?.onUncaught('a text', 'unhandledRejection')

    expect(sink.arrived.map(({ body }) => body)).toEqual(['uncaughtException', 'unhandledRejection'])
    expect(sink.arrived[0].attributes).toMatchObject({ 'exception.message': 'lost', a: 1n })
    expect(sink.arrived[1].attributes).toMatchObject({ err: 'a text' })
  })

  it('does nothing with OTEL_SDK_DISABLED', () => {
    const { log, sink } = testLogger({}, { OTEL_SDK_DISABLED: 'true' })

    log.fatal('x')
    log.child({}).event('e', {})
    log.level = 'trace'

    expect(log.isLevelEnabled('fatal')).toBe(false)
    expect(sink.arrived).toEqual([])
  })
})

describe('a child', () => {
  it('gives every record its bindings, and those of its parents', () => {
    const { log, sink } = testLogger({ base: { region: 'eu' } })

    log.child({ tenant: 'acme', user: 1 }).child({ user: 2 }).info({ orderId: 7 })

    expect(sink.last.attributes).toEqual({ orderId: 7n, region: 'eu', tenant: 'acme', user: 2n })
  })

  it('lets the fields of a call win, except for those that are undefined', () => {
    const { log, sink } = testLogger()
    const child = log.child({ a: 1, b: 2, c: 3 })

    child.info({ b: 'mine', c: undefined })

    expect(sink.last.attributes).toEqual({ b: 'mine', a: 1n, c: 3n })
  })

  it('has the scope of its name', () => {
    const { log, sink } = testLogger({ service: 'shop' })

    log.child({}, { name: 'shop.db' }).info('x')
    log.child({ a: 1 }, { name: 'shop.db' }).child({}).info('x')

    const [first, second] = sink.arrived
    expect(first.scope).toEqual({ name: 'shop.db' })
    expect(second.scope).toBe(first.scope)
  })
})
