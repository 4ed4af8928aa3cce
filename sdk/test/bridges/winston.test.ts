import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import winston from 'winston'
import { WinstonTransport, type WinstonTransportOptions } from '../../src/bridges/winston.ts'
import { withContext } from '../../src/context/context.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'
import { TRACEPARENT, traceOf } from '../support/traces.ts'

const { combine, errors, json, splat, timestamp, colorize, label } = winston.format

interface Bridged {
  readonly log: winston.Logger & Record<string, winston.LeveledLogMethod>
  readonly sink: TestSink
  readonly transport: WinstonTransport
}

function bridged(options: winston.LoggerOptions = {}, own: WinstonTransportOptions = {}): Bridged {
  const { log, sink } = testLogger({ level: 'trace' })
  const transport = new WinstonTransport(log, own)
  const logger = winston.createLogger({ level: 'silly', ...options, transports: [transport] })
  return { log: logger as Bridged['log'], sink, transport }
}

const levelsOf = (sink: TestSink) =>
  sink.arrived.map(({ severity, record }) => [severity, record.severityText])

describe('a winston logger over the transport', () => {
  it('logs message, metadata and those of child and default as they are', () => {
    const { log, sink } = bridged({ defaultMeta: { tenant: 'blue' } })

    log.child({ part: 'cart' }).info('order placed', { orderId: 7, items: ['a'] })

    expect(sink.last.body).toBe('order placed')
    expect(sink.last.attributes).toEqual({ tenant: 'blue', part: 'cart', orderId: 7n, items: ['a'] })
  })

  it('maps the levels of npm', () => {
    const { log, sink } = bridged()

    for (const level of Object.keys(winston.config.npm.levels)) log.log(level, 'x')

    expect(levelsOf(sink)).toEqual([
      [17, 'ERROR'],
      [13, 'WARN'],
      [9, 'INFO'],
      [7, 'http'],
      [6, 'verbose'],
      [5, 'DEBUG'],
      [1, 'silly'],
    ])
  })

  it('maps the levels of syslog', () => {
    const { log, sink } = bridged({ levels: winston.config.syslog.levels, level: 'debug' })

    for (const level of Object.keys(winston.config.syslog.levels)) log.log(level, 'x')

    expect(levelsOf(sink)).toEqual([
      [21, 'emerg'],
      [19, 'alert'],
      [18, 'crit'],
      [17, 'ERROR'],
      [13, 'warning'],
      [10, 'notice'],
      [9, 'INFO'],
      [5, 'DEBUG'],
    ])
  })

  it('maps levels of its own as it is told, or as the next less severe one', () => {
    const levels = { outage: 0, error: 1, audit: 2, info: 3, chatter: 4 }
    const { log, sink } = bridged({ levels, level: 'chatter' }, { severities: { outage: 24 } })

    for (const level of Object.keys(levels)) log.log(level, 'x')

    expect(levelsOf(sink)).toEqual([
      [24, 'outage'],
      [17, 'ERROR'],
      [9, 'audit'],
      [9, 'INFO'],
      [9, 'chatter'],
    ])
  })

  it('knows the level behind the colours', () => {
    const { log, sink } = bridged({ format: colorize() })

    log.warn('x')

    expect(levelsOf(sink)).toEqual([[13, 'WARN']])
  })

  it('logs from its own level on, else from that of the logger, which may change', () => {
    const { log, sink, transport } = bridged({ level: 'warn' })
    log.info('no')
    log.level = 'info'
    log.info('logger')
    transport.level = 'error'
    log.warn('no')
    log.error('transport')
    transport.silent = true
    log.error('no')

    expect(sink.arrived.map(({ body }) => body)).toEqual(['logger', 'transport'])
  })

  const error = Object.assign(new RangeError('no price', { cause: new Error('no rate') }), { code: 'E1' })
  const exception = {
    'exception.type': 'RangeError',
    'exception.message': 'no price',
    'exception.causes': [{ type: 'Error', message: 'no rate' }],
  }

  it.each<[string, string, (log: winston.Logger) => void]>([
    ['beside a message', 'refused no price', (log) => log.error('refused', error)],
    ['in metadata', 'refused', (log) => log.error('refused', { error })],
    ['as the message', 'no price', (log) => log.log({ level: 'error', message: error as never })],
    ['alone', 'no price', (log) => log.error(Object.assign(Object.create(error), {}))],
  ])('makes exception.* of an error %s', (_, body, call) => {
    const { log, sink } = bridged()

    call(log)

    expect(sink.last.body).toBe(body)
    expect(sink.last.attributes).toMatchObject(exception)
    expect(sink.last.attributes['exception.stacktrace']).toContain('Caused by: Error: no rate')
    expect(sink.last.attributes).not.toHaveProperty('stack')
    expect(sink.last.attributes).not.toHaveProperty('level')
  })

  it('makes exception.* of what format.errors has left of an error', () => {
    const { log, sink } = bridged({ format: combine(errors({ stack: true, cause: true }), json()) })

    log.error(new RangeError('no price', { cause: new Error('no rate') }))

    expect(sink.last.body).toBe('no price')
    expect(sink.last.attributes).toMatchObject(exception)
    expect(sink.last.attributes).not.toHaveProperty('stack')
  })

  it('takes what formats make of a record', () => {
    const { log, sink } = bridged({ format: combine(label({ label: 'cart' }), timestamp(), splat()) })

    log.info('order %s of %d', 'seven', 8, { tenant: 'blue' })

    expect(sink.last.body).toBe('order seven of 8')
    expect(sink.last.attributes).toEqual({ label: 'cart', tenant: 'blue' })
    expect(Math.abs(Number(sink.last.record.timeUnixNano / 1_000_000n) - Date.now())).toBeLessThan(2000)
  })

  it('has a format of its own, which may leave records out', () => {
    const shout = winston.format((info) =>
      info.secret ? false : { ...info, message: String(info.message).toUpperCase() },
    )
    const { log, sink } = bridged({}, { format: shout() })

    log.info('loud')
    log.info('quiet', { secret: true })

    expect(sink.arrived.map(({ body }) => body)).toEqual(['LOUD'])
  })

  it('logs a record whose format throws as it was, and goes on', () => {
    const broken = winston.format(() => {
      throw new Error('broken')
    })
    const { log, sink } = bridged({}, { format: broken() })

    for (let i = 0; i < 3; i++) log.info(`order ${i}`)

    expect(sink.arrived.map(({ body }) => body)).toEqual(['order 0', 'order 1', 'order 2'])
  })

  it('has an object as its fields', () => {
    const { log, sink } = bridged()

    log.info({ orderId: 7 } as never)

    expect([sink.last.body, sink.last.attributes]).toEqual([null, { orderId: 7n }])
  })

  it('belongs to the trace of the call', () => {
    const { log, sink } = bridged()

    withContext({ traceparent: TRACEPARENT }, () => log.info('x'))

    expect(traceOf(sink.last.record)).toBe(TRACEPARENT)
  })

  it('never lets records wait in winston', () => {
    const { log, sink } = bridged()

    for (let i = 0; i < 5000; i++) log.info(`order ${i}`)

    expect(sink.arrived.length).toBe(5000)
  })

  it('has all sent when it is removed, and when the logger ends', async () => {
    const { log, sink, transport } = bridged()
    log.remove(transport)
    expect(sink.calls).toEqual(['flush undefined'])
    log.add(transport)

    log.end()
    await once(transport, 'finish')

    expect(sink.calls.length).toBeGreaterThan(1)
  })

  it('takes uncaught exceptions only where it is told to', () => {
    const crash = {
      level: 'error',
      message: 'uncaughtException: boom',
      exception: true,
      error: new Error('boom'),
    }
    const [without, taking] = [bridged(), bridged({}, { handleExceptions: true })]

    for (const { log } of [without, taking]) log.log({ ...crash, process: { pid: 1 }, os: {}, trace: [] })

    expect(without.sink.arrived).toEqual([])
    expect(Object.keys(taking.sink.last.attributes)).toEqual([
      'exception.type',
      'exception.message',
      'exception.stacktrace',
    ])
    process.removeAllListeners('uncaughtException')
  })
})
