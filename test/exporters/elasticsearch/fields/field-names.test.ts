import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldNames } from '../../../../exporters/elasticsearch/fields/field-names.ts'
import { runs } from '../../../support/arbitraries.ts'

const NONE: ReadonlySet<string> = new Set()

const namesOf = (document: unknown, opaque = NONE): string[] =>
  fieldNames(Buffer.from(`${JSON.stringify(document)}\n`), opaque)

/** The same of the parsed document. */
function expected(value: unknown, name: string): string[] {
  if (value === null) return []
  if (Array.isArray(value)) return value.flatMap((item: unknown) => expected(item, name))
  if (typeof value !== 'object') return [name]
  return Object.entries(value).flatMap(([key, inner]) =>
    expected(inner, name === '' ? key : `${name}.${key}`),
  )
}

describe('the names of fields in a document', () => {
  it('are those of its values, objects and lists looked into', () => {
    const document = {
      a: 1,
      b: { c: 'x', 'd.e': true, f: {} },
      g: [{ h: 1 }, { i: [2, null] }, [[{ j: '"}\\' }]]],
      k: null,
      l: [],
      '"\n': 1.5,
    }

    expect(namesOf(document)).toEqual(['a', 'b.c', 'b.d.e', 'g.h', 'g.i', 'g.j', '"\n'])
  })

  it('are those of any document', () => {
    const keys = fc.string({ minLength: 1 })
    const documents = fc.dictionary(keys, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
    fc.assert(
      fc.property(documents, (document) => {
        const all = Object.entries(document).flatMap(([key, value]) => expected(value, key))
        // A key without a character makes a name that an empty path would as well.
        fc.pre(!JSON.stringify(document).includes('"":'))
        expect(namesOf(document)).toEqual(all)
      }),
      runs(),
    )
  })

  it('are not looked for in a field that takes any keys', () => {
    const document = { body: { structured: { 1: { 2: 3 } }, list: [{ x: 1 }] }, empty: {} }

    expect(namesOf(document, new Set(['body.structured', 'body.list', 'empty']))).toEqual([
      'body.structured',
      'body.list',
    ])
  })
})
