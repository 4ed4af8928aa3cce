import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Moved, moveAttributes, OVERFLOW } from '../../../../exporters/elasticsearch/fields/overflow.ts'
import { runs } from '../../../support/arbitraries.ts'

/** What a document becomes, and how many attributes moved by prefix; it stands in the middle of other lines. */
function moved(line: string, mode: 'otel' | 'ecs', prefixes: readonly string[]) {
  const shape = OVERFLOW[mode]
  if (shape === undefined) throw new Error(`nothing moves in ${mode}`)
  const before = '{"create":{"x":"\\"user.1\\":{"}}\n'
  const bytes = Buffer.from(`${before}${line}\n{"user":{"1":2},"attributes":{"user.1":2}}\n`)
  const start = before.length
  const result = moveAttributes(
    bytes,
    start,
    start + Buffer.byteLength(line) + 1,
    prefixes.map((prefix) => new Moved(prefix, shape)),
    shape,
  )
  return { text: result?.document.toString(), counts: Object.fromEntries(result?.moved ?? []) }
}

describe('attributes of mode otel', () => {
  it.each([
    ['the only one', '"user.1.n":1', '', '"user.1.n":1'],
    ['the first', '"user.1.n":1,"b":2', '"b":2', '"user.1.n":1'],
    ['the last', '"a":1,"user.1.n":2', '"a":1', '"user.1.n":2'],
    ['one in between', '"a":1,"user.x":{"y":[1]},"b":2', '"a":1,"b":2', '"user.x":{"y":[1]}'],
    ['several', '"user.1":1,"user.2":2,"a":0,"user.3":"}"', '"a":0', '"user.1":1,"user.2":2,"user.3":"}"'],
  ])('move: %s', (_, attributes, kept, overflow) => {
    const document = (content: string, more = '') =>
      `{"@timestamp":"1","attributes":{${content}},"resource":{"attributes":{"user.1":1}}${more}}`

    expect(moved(document(attributes), 'otel', ['user']).text).toBe(
      `${document(kept, `,"attributes_overflow":{${overflow}}`)}\n`,
    )
  })

  it('stay where no prefix is theirs: one that is a field, begins so, or is in a text', () => {
    const line = '{"attributes":{"user":"kim","users.1":1,"a":"\\"user.1\\":{"},"body":{"text":"\\"user.2"}}'

    expect(moved(line, 'otel', ['user']).text).toBeUndefined()
  })

  it('keep every digit', () => {
    const line = '{"attributes":{"user.1":9223372036854775807,"user.2":1.0,"user.3":1e-7}}'

    expect(moved(line, 'otel', ['user']).text).toContain(
      '{"user.1":9223372036854775807,"user.2":1.0,"user.3":1e-7}',
    )
  })

  it('are those below any of the prefixes, and all others stay as they are', () => {
    const names = fc.array(fc.constantFrom('user', 'cart', 'a', '"', '\\', 'ü', '1'), {
      minLength: 1,
      maxLength: 4,
    })
    const name = names.map((parts) => parts.join('.'))
    const attributes = fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true })
    fc.assert(
      fc.property(attributes, fc.subarray(['user', 'cart.a', '"', 'ü.\\']), (content, prefixes) => {
        const isMoved = (key: string): boolean => prefixes.some((prefix) => key.startsWith(`${prefix}.`))
        const pick = (wanted: boolean) =>
          Object.fromEntries(Object.entries(content).filter(([key]) => isMoved(key) === wanted))
        const document = { '@timestamp': '1', attributes: content, body: { text: 'x' } }

        const { text, counts } = moved(JSON.stringify(document), 'otel', prefixes)

        const count = Object.values(counts).reduce((sum, n) => sum + n, 0)
        expect(count).toBe(Object.keys(pick(true)).length)
        const expected = { ...document, attributes: pick(false), attributes_overflow: pick(true) }
        if (count === 0) expect(text).toBeUndefined()
        else expect(JSON.parse(text ?? '')).toEqual(expected)
      }),
      runs(),
    )
  })
})

describe('fields of mode ecs', () => {
  it('move with all that is below their prefix', () => {
    const line =
      '{"@timestamp":"1","user":{"1":{"n":1.0},"name":"kim"},"http":{"request":{"headers":{"x":1}}},"a":{"user":{"z":1}}}'

    const { text, counts } = moved(line, 'ecs', ['user', 'http.request.headers'])

    expect(text).toBe(
      '{"@timestamp":"1","http":{"request":{}},"a":{"user":{"z":1}},"labels_overflow":{"user":{"1":{"n":1.0},"name":"kim"},"http.request.headers":{"x":1}}}\n',
    )
    expect(counts).toEqual({ user: 1, 'http.request.headers': 1 })
  })

  it('stay where the prefix is a value, or further in', () => {
    expect(moved('{"user":"kim","a":{"user":{"1":1}}}', 'ecs', ['user']).text).toBeUndefined()
    expect(moved('{"user":{"id":7}}', 'ecs', ['user.id']).text).toBeUndefined()
  })
})
