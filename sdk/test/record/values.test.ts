import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Plain } from '../support/decode.ts'
import { testLogger } from '../support/test-sink.ts'

function logged(value: unknown, options: Parameters<typeof testLogger>[0] = {}): Plain {
  const { log, sink } = testLogger(options)
  log.info({ value })
  return sink.last.attributes.value
}

/** What a value is to become: the same as JavaScript has it, but for what OTLP has no kind for. */
function expected(value: unknown): Plain {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  if (value === undefined) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(expected)
  if (value instanceof Set) return [...value].map(expected)
  const entries = value instanceof Map ? [...value] : Object.entries(value as object)
  const defined = entries.filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(defined.map(([key, entry]) => [String(key).toWellFormed(), expected(entry)]))
}

const text = fc.string({ unit: 'binary', maxLength: 300 })
const key = fc.string({ unit: 'grapheme', maxLength: 40 })
const leaf = fc.oneof(
  text,
  fc.string({ minLength: 20, maxLength: 400 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.date(),
  fc.uint8Array({ maxLength: 200 }),
)
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, tie('array'), tie('object'), tie('map'), tie('set')),
  array: fc.array(tie('value'), { maxLength: 6 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: false }),
  map: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  set: fc.array(tie('value'), { maxLength: 4 }).map((entries) => new Set(entries)),
}))

describe('a value of a field', () => {
  it('arrives as the same value, whatever it is made of', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const { log, sink } = testLogger()
        log.info({ value })
        expect(sink.last.attributes).toEqual(value === undefined ? {} : { value: expected(value) })
      }),
      { numRuns: 500 },
    )
  })

  it('arrives the same as body, and as the binding of a child', () => {
    fc.assert(
      fc.property(fc.dictionary(key, anyValue, { maxKeys: 5, noNullPrototype: false }), (value) => {
        const { log, sink } = testLogger({ limits: { depth: 10 } })
        log.child({ value }).info(null, value as never)
        const { attributes, body } = sink.last
        expect([attributes.value, body]).toEqual([expected(value), expected(value)])
      }),
    )
  })

  it('is written at every length of text, ASCII or not', () => {
    for (const letter of ['a', 'é', '世', '😀', '\ud800']) {
      for (let length = 0; length < 200; length++) {
        const value = `${'a'.repeat(length)}${letter}`
        expect(logged(value)).toBe(value.toWellFormed())
        expect(logged(letter.repeat(length))).toBe(letter.repeat(length).toWellFormed())
      }
    }
  })

  it.each<[string, unknown, Plain]>([
    ['a negative whole number', -1, -1n],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER, BigInt(Number.MIN_SAFE_INTEGER)],
    ['2^31', 2 ** 31, 2n ** 31n],
    ['a number that is no safe integer', 2 ** 60, 2 ** 60],
    ['NaN', Number.NaN, Number.NaN],
    ['infinity', Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ['the greatest int64', 2n ** 63n - 1n, 2n ** 63n - 1n],
    ['what int64 cannot hold', 2n ** 63n, '9223372036854775808'],
    ['a symbol', Symbol('place'), 'Symbol(place)'],
    ['a function', function place() {}, '[Function: place]'],
    ['a URL', new URL('https://a.example/b?c=d'), 'https://a.example/b?c=d'],
    ['a regular expression', /a+/gi, '/a+/gi'],
    ['a buffer', Buffer.from('bytes'), new Uint8Array(Buffer.from('bytes'))],
    ['a typed array', new Uint16Array([1, 256]), new Uint8Array([1, 0, 0, 1])],
    ['an ArrayBuffer', new Uint8Array([7]).buffer, new Uint8Array([7])],
    ['a primitive in an object', new String('boxed'), 'boxed'],
    ['an object with toJSON', { toJSON: () => ({ id: 'x' }) }, { id: 'x' }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1n }],
    ['its own key __proto__', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{}}')],
    ['undefined in an array', [1, undefined, 2], [1n, null, 2n]],
    ['an array with holes', Object.assign([1], { 2: 2 }), [1n, null, 2n]],
    [
      'a map with keys of any kind',
      new Map<unknown, unknown>([
        [7, 'a'],
        [Symbol('s'), 'b'],
      ]),
      { '7': 'a', 'Symbol(s)': 'b' },
    ],
    [
      'an instance of a class',
      new (class Order {
        readonly id = 1
        readonly #secret = 2
        get secret() {
          return this.#secret
        }
      })(),
      { id: 1n },
    ],
  ])('that is %s is written', (_, value, plain) => {
    if (_ === 'its own key __proto__') expect(Object.keys(logged(value) as object)).toEqual(['__proto__'])
    else expect(logged(value)).toEqual(plain)
  })

  it('that is an error tells its type, message, stack, cause and own properties', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1' })

    expect(logged([error])).toEqual([
      {
        type: 'TypeError',
        message: 'outer',
        stack: error.stack,
        cause: { type: 'Error', message: 'inner', stack: (error.cause as Error).stack },
        code: 'E1',
      },
    ])
  })
})

describe('a hostile value', () => {
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const circular: { self?: unknown; list: unknown[] } = { list: [] }
  circular.self = circular
  circular.list.push(circular)
  let deep: unknown = 'bottom'
  for (let level = 0; level < 10_000; level++) deep = { deep }
  const endless = { toJSON: () => ({ ...endless }) }

  it.each<[string, unknown, Plain]>([
    ['that is circular', circular, { list: ['[Circular]'], self: '[Circular]' }],
    ['that is a revoked proxy', revoked.proxy, '[Throws]'],
    [
      'with a getter that throws',
      {
        a: 1,
        get b() {
          throw new Error()
        },
        c: 3,
      },
      { a: 1n, b: '[Throws]', c: 3n },
    ],
    [
      'with a toJSON that throws',
      {
        toJSON() {
          throw new Error()
        },
      },
      '[Throws]',
    ],
    [
      'with a proxy whose keys throw',
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error()
          },
        },
      ),
      '[Throws]',
    ],
    [
      'with an iterator that throws',
      Object.assign([1], {
        [Symbol.iterator]() {
          throw new Error()
        },
      }),
      '[Throws]',
    ],
    ['with a type that is a lie', Object.create(Date.prototype), '[Throws]'],
    [
      'whose error lies',
      Object.assign(Object.create(Error.prototype), { message: 7, stack: {} }),
      { type: 'Error' },
    ],
  ])('%s is marked where it stands', (_, value, plain) => {
    expect(logged(value)).toEqual(plain)
  })

  it('that is nested deeper than the limit is marked there', () => {
    expect(logged(deep, { limits: { depth: 3 } })).toEqual({ deep: { deep: { deep: '[Object]' } } })
    expect(logged([[[[]]]], { limits: { depth: 2 } })).toEqual([['[Array]']])
    expect(JSON.stringify(logged(endless))).toContain('[Object]')
  })

  it('is met twice without being circular', () => {
    const shared = { a: 1 }
    expect(logged([shared, shared])).toEqual([{ a: 1n }, { a: 1n }])
  })

  it('with a million entries is cut', () => {
    const object = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`key${i}`, i]))

    const entries = Object.entries(logged(object) as object)
    const elements = logged(Array.from({ length: 1_000_000 }, (_, i) => i)) as Plain[]

    expect(entries.at(-1)).toEqual(['...', '999000 more'])
    expect([entries.length, elements.length, elements.at(-1)]).toEqual([1001, 1001, '999000 more'])
  })

  it('that logs while it is read is logged itself, and so is what it logs', () => {
    const { log, sink } = testLogger()
    const loud = {
      get a() {
        log.info('from within')
        return 'x'.repeat(500)
      },
      b: 2,
    }

    log.info({ loud, after: 'y' }, 'outer')

    expect(sink.arrived.map(({ body }) => body)).toEqual(['from within', 'outer'])
    expect(sink.last.attributes).toEqual({ loud: { a: 'x'.repeat(500), b: 2n }, after: 'y' })
  })

  it('that logs itself without end is logged a few times', () => {
    const { log, sink } = testLogger()
    const endless = {
      get self() {
        log.info({ endless })
        return 1
      },
    }

    log.info({ endless })

    expect(sink.arrived.length).toBeLessThan(10)
    expect(sink.last.attributes).toEqual({ endless: { self: 1n } })
  })
})
