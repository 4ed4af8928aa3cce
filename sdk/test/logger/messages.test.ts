import { describe, expect, it } from 'vitest'
import type { Plain } from '../support/decode.ts'
import { testLogger } from '../support/test-sink.ts'

function message(...args: [unknown, ...unknown[]]): Plain {
  const { log, sink } = testLogger()
  log.info(...(args as [string]))
  return sink.last.body
}

describe('a message', () => {
  const circular: { self?: unknown } = {}
  circular.self = circular

  it.each<[unknown[], string]>([
    [['%s %s', 'a', 1], 'a 1'],
    [['%d', '42.5'], '42.5'],
    [['%d', 42n], '42'],
    [['%i', 42.9], '42'],
    [['%f', '1.25'], '1.25'],
    [['%d', Symbol('x')], 'NaN'],
    [['%j', { a: [1] }], '{"a":[1]}'],
    [['%o', 'text'], "'text'"],
    [['%O', { a: 1n }], '{"a":"1"}'],
    [['%s', { a: 1 }], '{"a":1}'],
    [['%s', Symbol('x')], 'Symbol(x)'],
    [['%s', undefined], 'undefined'],
    [['100%% of %s', 'it'], '100% of it'],
    [['%s and %s', 'a'], 'a and %s'],
    [['%x %', 'a'], '%x % a'],
    [['100% sure'], '100% sure'],
    [['%j', circular], '{"self":"[Circular]"}'],
    [
      [
        '%j',
        {
          get a() {
            throw new Error()
          },
        },
      ],
      '{"a":"[Throws]"}',
    ],
    [['%j', new Map([['a', new Set([1])]])], '{"a":[1]}'],
    [['%j', Buffer.from('xyz')], '"[3 bytes]"'],
    [['%j', { at: new Date(0) }], '{"at":"1970-01-01T00:00:00.000Z"}'],
  ])('is filled in: case %#', (args, text) => {
    expect(message(...(args as [unknown]))).toBe(text)
  })

  it('loses none of the arguments that no placeholder takes', () => {
    const { log, sink } = testLogger()
    const error = new Error('inner')

    log.error('failed', error, { orderId: 7 }, 'again', 3, new Date(0))

    expect(sink.last.body).toBe('failed again 3 "1970-01-01T00:00:00.000Z"')
    expect(sink.last.attributes).toMatchObject({ orderId: 7n, 'exception.message': 'inner' })
  })

  it('may be missing between an error and fields', () => {
    const { log, sink } = testLogger()

    log.error(new Error('inner'), { orderId: 7 })

    expect(sink.last.body).toBe('inner')
    expect(sink.last.attributes).toMatchObject({ orderId: 7n, 'exception.message': 'inner' })
  })

  it('arrives although an argument after it cannot be read', () => {
    const { log, sink } = testLogger()

    log.info('kept', {
      get a() {
        throw new Error()
      },
    })

    expect(sink.last.body).toBe('kept {"a":"[Throws]"}')
  })

  it('is bounded however large an object in it is', () => {
    const wide = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i]))
    const deep = Array.from({ length: 999 }, () => Array.from({ length: 999 }, () => wide))

    expect((message('%j', deep) as string).length).toBeLessThanOrEqual(65_536)
  })

  it.each<[unknown, unknown, Plain, object]>([
    [{ msg: 'as in pino', a: 1 }, undefined, 'as in pino', { a: 1n }],
    [{ a: 1 }, undefined, null, { a: 1n }],
    [null, 'text', 'text', {}],
    [undefined, 'text', 'text', {}],
    [42, undefined, 42n, {}],
    [true, undefined, true, {}],
    [new Date(0), undefined, '1970-01-01T00:00:00.000Z', {}],
    [new Date(0), 'text', 'text', { value: '1970-01-01T00:00:00.000Z' }],
    [new Map([['a', 1]]), 'text', 'text', { a: 1n }],
    [['x', 'y'], 'text', 'text', { '0': 'x', '1': 'y' }],
    [{ toJSON: () => ({ id: 7 }) }, 'text', 'text', {}],
    [
      new (class {
        toJSON() {
          return { id: 7 }
        }
      })(),
      'text',
      'text',
      { id: 7n },
    ],
    [{}, 42, 42n, {}],
  ])('is found, and the fields: case %#', (first, second, body, attributes) => {
    const { log, sink } = testLogger()

    if (second === undefined) log.info(first)
    else log.info(first, second as string)

    expect(sink.last.body).toEqual(body)
    if (!Object.hasOwn(Object(first) as object, 'toJSON')) expect(sink.last.attributes).toEqual(attributes)
  })
})
