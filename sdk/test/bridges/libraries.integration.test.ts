import { describe, expect, it } from 'vitest'
import { bunyanStream } from '../../src/bridges/bunyan.ts'
import { NestLogger } from '../../src/bridges/nest.ts'
import { withContext } from '../../src/context/context.ts'
import { installed } from '../support/installed.ts'
import { testLogger } from '../support/test-sink.ts'
import { TRACEPARENT, traceOf } from '../support/traces.ts'

const UNREACHABLE = 'the registry of npm cannot be reached'

interface BunyanLogger {
  child(fields: object): BunyanLogger
  info(...args: unknown[]): void
  debug(...args: unknown[]): void
  error(...args: unknown[]): void
}

interface Bunyan {
  readonly default: {
    createLogger(options: object): BunyanLogger
    readonly stdSerializers: object
  }
}

describe.each(['1.8.15', '2.0.5'])('bunyan %s', (version) => {
  it('logs levels, fields, errors and places', async ({ skip }) => {
    const packages = await installed(`bunyan@${version}`)
    if (packages === undefined) return skip(UNREACHABLE)
    const { default: bunyan } = await packages.load<Bunyan>('bunyan')
    const { log: sluice, sink } = testLogger({ level: 'trace' })
    const { stdSerializers: serializers } = bunyan
    const streams = [bunyanStream(sluice, { level: 'debug' })]
    const log = bunyan.createLogger({ name: 'shop', streams, serializers, src: true })

    withContext({ traceparent: TRACEPARENT }, () =>
      log.child({ tenant: 'blue' }).info({ orderId: 7 }, 'order %s', 'placed'),
    )
    log.debug('x')
    log.error(new TypeError('boom', { cause: new Error('inner') }))

    const [placed, debug, boom] = sink.arrived
    expect([placed.body, placed.severity, debug.severity, boom.severity]).toEqual(['order placed', 9, 5, 17])
    expect(placed.attributes).toMatchObject({ 'logger.name': 'shop', tenant: 'blue', orderId: 7n })
    expect(placed.attributes['code.file.path']).toContain('libraries.integration.test.ts')
    expect(placed.attributes).not.toHaveProperty('pid')
    expect(placed.attributes).not.toHaveProperty('hostname')
    expect(traceOf(placed.record)).toBe(TRACEPARENT)
    expect([boom.body, boom.attributes['exception.type']]).toEqual(['boom', 'TypeError'])
  })
})

interface NestCommon {
  readonly Module: (metadata: object) => (target: object) => void
  readonly Logger: new (
    context: string,
  ) => { error(...args: unknown[]): void; verbose(message: unknown): void }
}

interface NestCore {
  NestFactory: {
    createApplicationContext(module: object, options: object): Promise<{ close(): Promise<void> }>
  }
}

describe.each(['10.4.22', '12.5.1'])('NestJS %s', (version) => {
  it('logs what it and its classes say', async ({ skip }) => {
    const packages = await installed(
      `@nestjs/common@${version}`,
      `@nestjs/core@${version}`,
      'reflect-metadata@0.2.2',
      'rxjs@7.8.2',
    )
    if (packages === undefined) return skip(UNREACHABLE)
    await packages.load('reflect-metadata')
    const { Module, Logger } = await packages.load<NestCommon>('@nestjs/common')
    const { NestFactory } = await packages.load<NestCore>('@nestjs/core')
    const { log, sink } = testLogger({ level: 'trace', service: 'shop' })
    class ShopModule {}
    Module({})(ShopModule)

    const app = await NestFactory.createApplicationContext(ShopModule, { logger: new NestLogger(log) })
    const logger = new Logger('OrdersService')
    logger.error('refused', new Error('boom').stack)
    logger.verbose({ orderId: 7 })
    await app.close()

    expect(sink.arrived[0]).toMatchObject({
      body: 'Starting Nest application...',
      scope: { name: 'NestFactory' },
    })
    const [refused, order] = sink.arrived.filter(({ scope }) => scope.name === 'OrdersService')
    expect([refused.body, refused.severity]).toEqual(['refused', 17])
    expect(refused.attributes['exception.stacktrace']).toContain('Error: boom')
    expect([order.severity, order.attributes]).toEqual([1, { orderId: 7n }])
  })
})
