import { describe, expect, it } from 'vitest'
import { NestLogger } from '../../src/bridges/nest.ts'
import { setLevel } from '../../src/logger/level-registry.ts'
import { type TestSink, testLogger } from '../support/test-sink.ts'

function bridged(level: 'trace' | 'info' = 'trace'): { log: NestLogger; sink: TestSink } {
  const { log, sink } = testLogger({ service: 'shop', level })
  return { log: new NestLogger(log), sink }
}

const STACK = 'Error: boom\n    at place (/app/shop.ts:1:2)'

describe('the logger of NestJS', () => {
  it.each([
    ['verbose', 1],
    ['debug', 5],
    ['log', 9],
    ['warn', 13],
    ['error', 17],
    ['fatal', 21],
  ] as const)('maps %s', (level, severity) => {
    const { log, sink } = bridged()

    log[level]('x', 'OrdersService')

    expect([sink.last.severity, sink.last.body, sink.last.scope.name]).toEqual([
      severity,
      'x',
      'OrdersService',
    ])
  })

  it('has the name of the service without a context', () => {
    const { log, sink } = bridged()

    log.log('x')

    expect(sink.last.scope.name).toBe('shop')
  })

  it.each<[string, unknown[], string, string | undefined]>([
    ['a context', ['OrdersService'], 'OrdersService', undefined],
    ['a stack', [STACK], 'shop', STACK],
    ['both', [STACK, 'OrdersService'], 'OrdersService', STACK],
    ['an empty place for the stack', [undefined, 'OrdersService'], 'OrdersService', undefined],
    ['nothing', [], 'shop', undefined],
  ])('takes %s after an error', (_, rest, scope, stack) => {
    const { log, sink } = bridged()

    log.error('boom', ...rest)

    expect(sink.arrived.length).toBe(1)
    expect([sink.last.body, sink.last.scope.name]).toEqual(['boom', scope])
    expect(sink.last.attributes['exception.stacktrace']).toBe(stack)
  })

  it('logs each of several messages', () => {
    const { log, sink } = bridged()

    log.log('a', { orderId: 7 }, 'OrdersService')

    expect(sink.arrived.map(({ body, attributes }) => [body, attributes])).toEqual([
      ['a', {}],
      [null, { orderId: 7n }],
    ])
  })

  it('makes exception.* of an error', () => {
    const { log, sink } = bridged()

    log.error(new TypeError('boom'), 'OrdersService')

    expect([sink.last.body, sink.last.attributes['exception.type']]).toEqual(['boom', 'TypeError'])
  })

  it('logs only the levels that it is set to', () => {
    const { log, sink } = bridged()

    log.setLogLevels(['error', 'debug'])
    for (const level of ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const) log[level](level)

    expect(sink.arrived.map(({ body }) => body)).toEqual(['debug', 'error'])
  })

  it('changes its level by context while it runs', () => {
    const { log, sink } = bridged('info')
    setLevel('OrdersService', 'debug')

    log.debug('orders', 'OrdersService')
    log.debug('others', 'CartService')
    setLevel('OrdersService', undefined)

    expect(sink.arrived.map(({ body }) => body)).toEqual(['orders'])
  })

  it('keeps no more loggers than there are classes, whatever a context is', () => {
    const { log, sink } = bridged()

    for (let i = 0; i < 1001; i++) log.log('x', `request ${i}`)

    expect(sink.last.scope.name).toBe('shop')
    expect(sink.last.attributes).toEqual({ 'logger.name': 'request 1000' })
  })

  it('sends at once after a fatal record', () => {
    const { log, sink } = bridged()

    log.fatal('x')

    expect(sink.calls).toEqual(['flush undefined'])
  })
})
