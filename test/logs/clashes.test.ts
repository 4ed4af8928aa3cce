import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { ECS } from '../../src/logs/ndjson/fields/ecs.ts'
import { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import { NONE, RAW } from '../../src/logs/ndjson/fields/plain.ts'
import type { FieldScheme } from '../../src/logs/ndjson/fields/scheme.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'
import { renderFields } from './field-documents.ts'

type Texts = Readonly<Record<string, string>>

interface Context {
  readonly resource?: Texts
  readonly scope?: Texts
}

const attributesOf = (texts: Texts = {}): object[] =>
  attributes(Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, text(value)])))

/** The document of a record, without the fields every record has, and what clashed. */
function documentOf(record: object, { resource, scope }: Context = {}, scheme: FieldScheme = ECS) {
  const batch = batchOf(
    [{ timeUnixNano: '1', ...record }],
    { attributes: attributesOf(resource) },
    { attributes: attributesOf(scope) },
  )
  const { documents, clashes, failures } = renderFields(batch, new FieldMapping(scheme))
  expect(failures).toEqual([])
  const {
    '@timestamp': _time,
    target: _target,
    ...rest
  } = JSON.parse(JSON.stringify(documents[0])) as object & {
    [name: string]: unknown
  }
  return { document: rest, clashes: Object.fromEntries(clashes[0]) }
}

const fieldsOf = (texts: Texts, context?: Context) => documentOf({ attributes: attributesOf(texts) }, context)

describe('fields that clash', () => {
  it.each<[string, Texts, object]>([
    ['after', { a: '1', 'a.b': '2' }, { a: { value: '1', b: '2' } }],
    ['before', { 'a.b': '2', a: '1' }, { a: { b: '2', value: '1' } }],
    ['deep in', { 'x.a': '1', 'x.a.b.c': '2' }, { x: { a: { value: '1', b: { c: '2' } } } }],
  ])('leave a value at .value where an object of its name stands %s it', (_, texts, expected) => {
    expect(fieldsOf(texts)).toEqual({ document: expected, clashes: { object: 1 } })
  })

  it('find another place where .value is taken', () => {
    expect(fieldsOf({ a: '1', 'a.value': '2' })).toEqual({
      document: { a: { value: '2', value_: '1' } },
      clashes: { object: 1 },
    })
    expect(fieldsOf({ a: '1', 'a.value': '2', 'a.value.b': '3' })).toEqual({
      document: { a: { value: { value: '2', b: '3' }, value_: '1' } },
      clashes: { object: 2 },
    })
  })

  it('clash across layers as well', () => {
    expect(fieldsOf({ 'app.part': '1' }, { resource: { app: 'x' } })).toEqual({
      document: { app: { part: '1', value: 'x' } },
      clashes: { object: 1 },
    })
  })

  it('stand beside a field of ECS, which keeps its place', () => {
    const record = {
      traceId: '0102030405060708090a0b0c0d0e0f10',
      attributes: attributesOf({ 'trace.id.x.y': '1', 'exception.type': 'E', 'error.type.code': '7' }),
    }
    expect(documentOf(record)).toEqual({
      document: {
        trace: { id: '0102030405060708090a0b0c0d0e0f10', id_x_y: '1' },
        error: { type_code: '7', type: 'E' },
      },
      clashes: { object: 2 },
    })
  })

  it('keep the inner of two layers, and the record itself before all', () => {
    const record = {
      severityText: 'WARN',
      body: text('said'),
      attributes: attributesOf({ 'log.level': 'debug', message: 'other', x: 'record' }),
    }
    expect(documentOf(record, { scope: { x: 'scope', y: 'scope' }, resource: { y: 'resource' } })).toEqual({
      document: { log: { level: 'WARN' }, message: 'said', x: 'record', y: 'scope' },
      clashes: { overridden: 4 },
    })
  })

  it('keep the first of two in one layer, and those under the name of ECS before those that become it', () => {
    const twice = [...attributesOf({ a: '1' }), ...attributesOf({ a: '2' })]
    expect(documentOf({ attributes: twice })).toEqual({ document: { a: '1' }, clashes: { duplicate: 1 } })
    const resource = {
      'deployment.environment': 'old',
      'deployment.environment.name': 'new',
    }
    const environment = (texts: Texts) => fieldsOf({}, { resource: texts })
    expect(environment(resource)).toEqual({
      document: { service: { environment: 'new' } },
      clashes: { duplicate: 1 },
    })
    expect(environment({ ...resource, 'service.environment': 'ecs' })).toEqual({
      document: { service: { environment: 'ecs' } },
      clashes: { duplicate: 2 },
    })
  })

  it('are none where a host has a name and no other', () => {
    expect(fieldsOf({}, { resource: { 'host.name': 'a' } })).toEqual({
      document: { host: { name: 'a', hostname: 'a' } },
      clashes: {},
    })
    expect(fieldsOf({}, { resource: { 'host.name': 'a', 'host.hostname': 'b' } })).toEqual({
      document: { host: { name: 'a', hostname: 'b' } },
      clashes: {},
    })
  })

  it('give way to the fields of Elasticsearch', () => {
    expect(fieldsOf({ _id: '1', '_source.x': '2', _mine: '3', 'x._id': '4' })).toEqual({
      document: { labels: { _id: '1', _source: { x: '2' } }, _mine: '3', x: { _id: '4' } },
      clashes: { reserved: 2 },
    })
    expect(documentOf({ attributes: attributesOf({ _id: '1' }) }, {}, RAW).document).toMatchObject({
      'Attributes._id': '1',
    })
    expect(documentOf({ attributes: attributesOf({ _id: '1' }) }, {}, NONE)).toMatchObject({
      document: { 'Attributes._id': '1' },
      clashes: {},
    })
  })

  it('lose the empty parts of their names', () => {
    expect(fieldsOf({ '.a..b.': '1', '..': '2', ' ': '3' })).toEqual({
      document: { a: { b: '1' }, _: '2' },
      clashes: { name: 3, duplicate: 1 },
    })
  })

  it('clash in maps in lists, and in bodies', () => {
    const map = { kvlistValue: { values: attributesOf({ a: '1', 'a.b': '2' }) } }
    const list = { arrayValue: { values: [map, text('x'), { arrayValue: { values: [map] } }] } }
    const resolved = { a: { value: '1', b: '2' } }
    expect(documentOf({ attributes: attributes({ list }) })).toEqual({
      document: { list: [resolved, 'x', [resolved]] },
      clashes: { object: 2 },
    })
    expect(documentOf({ body: map })).toEqual({
      document: { body: { structured: resolved }, message: '{"a":{"b":"2","value":"1"}}' },
      clashes: { object: 1 },
    })
  })

  it('are told apart in names with dots too', () => {
    const values = attributesOf({ a: '1', 'a.b': '2', Body: 'x', 'Body.y': 'z' })
    const { document, clashes } = documentOf({ body: text('said'), attributes: values }, {}, RAW)
    expect(document).toMatchObject({ 'a.value': '1', 'a.b': '2', Body: 'said', Body_y: 'z' })
    expect(clashes).toEqual({ object: 2, overridden: 1 })
  })
})

describe('names nobody would think of', () => {
  it('are fields like any other', () => {
    const names = { constructor: '1', 'a"b\\.c\n': '2', 'é.漢😀': '3' }
    const values = [...attributesOf(names), { key: '__proto__.x', value: text('4') }]
    const { document } = documentOf({ attributes: values })
    expect(document).toEqual(
      JSON.parse('{"constructor":"1","a\\"b\\\\":{"c\\n":"2"},"é":{"漢😀":"3"},"__proto__":{"x":"4"}}'),
    )
  })

  it.each([
    ['very deep', 'a.'.repeat(5000)],
    ['very long', 'a'.repeat(100_000)],
    ['only dots', '.'.repeat(100_000)],
  ])('are taken when they are %s', (_, key) => {
    expect(JSON.stringify(fieldsOf({ [key]: 'found' }).document)).toContain('found')
  })

  it('may have large values, which stand there twice, also in a context that is known', () => {
    const name = 'x'.repeat(10_000)
    const mapping = new FieldMapping(ECS)
    for (const key of ['a', 'b']) {
      const batch = batchOf([{ attributes: attributesOf({ [key]: '' }) }], {
        attributes: attributesOf({ 'host.name': name }),
      })
      expect(renderFields(batch, mapping).documents).toMatchObject([{ host: { name, hostname: name } }])
    }
  })

  it('cost only the record that has more than any index takes', () => {
    const many = Array.from({ length: 10_001 }, () => ({ key: '', value: text('') }))
    const batch = batchOf([{ attributes: many }, { body: text('good') }])
    const { documents, failures } = renderFields(batch, new FieldMapping(ECS))
    expect(failures).toEqual(['0: it has more than 10000 fields'])
    expect(documents).toMatchObject([{ message: 'good' }])
  })

  it('do not add up in memory', () => {
    const mapping = new FieldMapping(ECS)
    const render = (round: number): void => {
      const key = `${round}`.padEnd(4000, 'x')
      const batch = batchOf(
        Array.from({ length: 20 }, (_, at) => ({ attributes: attributesOf({ [key + at]: '' }) })),
      )
      expect(renderFields(batch, mapping).documents.length).toBe(20)
    }
    for (let round = 0; round < 200; round++) render(round)
    expect(mapping.keptBytes).toBeLessThan(33 * 1024 * 1024)
  })

  it('do not keep the memory that others are cut from', () => {
    const mapping = new FieldMapping(ECS)
    const before = memoryAfterCollection()
    for (let round = 0; round < 500; round++) {
      renderFields(batchOf([{ attributes: attributesOf({ [`k${round}`]: 'v' }) }]), mapping)
      // Of the next slab.
      for (let left = Buffer.poolSize; left > 0; left -= 10_000) Buffer.from('x'.repeat(10_000))
    }
    const kept = memoryAfterCollection() - before
    expect(mapping.keptBytes).toBeGreaterThan(0)
    expect(kept).toBeLessThan(8 * 1024 * 1024)
  })
})

/** Bytes of all buffers that are still in use. */
function memoryAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  // Buffers are freed in another thread, which the next collection waits for.
  collect()
  return process.memoryUsage().arrayBuffers
}
