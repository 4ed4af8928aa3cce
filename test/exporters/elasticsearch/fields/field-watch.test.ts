import { describe, expect, it } from 'vitest'
import { BulkRenderer } from '../../../../exporters/elasticsearch/bulk.ts'
import { fieldWatchConfig } from '../../../../exporters/elasticsearch/fields/config.ts'
import { type Explosion, FieldWatch } from '../../../../exporters/elasticsearch/fields/field-watch.ts'
import { Mappings } from '../../../../exporters/elasticsearch/mappings.ts'
import { Targets } from '../../../../exporters/elasticsearch/target.ts'
import type { MappingMode } from '../../../../src/logs/ndjson/mapping.ts'
import { memory } from '../../../../src/memory.ts'
import { attributes, batchOf, text } from '../../../support/otlp.ts'

type Attributes = Readonly<Record<string, object>>
const int = (value: number | string): object => ({ intValue: String(value) })
const LIMIT = 40

/** A watch over what is rendered, and what it told. */
function watching(mode: MappingMode, options: object = {}) {
  const explosions: Explosion[] = []
  const fields = new Map<string, () => number>()
  const full: number[] = []
  const watch = new FieldWatch(fieldWatchConfig.parse({ limit: LIMIT, ...options }), {
    watched: (name, read) => fields.set(name, read),
    exploding: (explosion) => explosions.push(explosion),
    full: (streams) => full.push(streams),
  })
  const ids = { attribute: false, batch: false }
  const renderer = new BulkRenderer(new Targets(), new Mappings({ mode, allowed: [mode] }), ids, { watch })
  /** Renders a record for each set of attributes, and gives the lines of their documents. */
  const send = (sets: readonly Attributes[], resource: Attributes = {}): string[] =>
    sendRecords(
      sets.map((set) => ({ body: text('x'), attributes: attributes(set) })),
      resource,
    )
  const sendRecords = (records: readonly object[], resource: Attributes = {}): string[] => {
    const { body, moved } = renderer.render(batchOf(records, { attributes: attributes(resource) }))
    const lines = body.toString().trimEnd().split('\n')
    memory.give(body)
    for (const [reason, count] of moved) counts[reason] = (counts[reason] ?? 0) + count
    return lines.filter((_, at) => at % 2 === 1)
  }
  const counts: Record<string, number> = {}
  return { watch, explosions, fields, full, send, sendRecords, counts }
}

const users = (from: number, count: number): Attributes[] =>
  Array.from({ length: count }, (_, at) => ({
    'http.route': text('/cart'),
    [`user.${from + at}.visits`]: int(from + at),
  }))

describe.each([
  ['otel', 'logs-generic.otel-default', 'attributes.user.*'],
  ['ecs', 'logs-generic-default', 'user.*'],
  ['none', 'logs-generic-default', 'Attributes.user.*'],
  ['raw', 'logs-generic-default', 'user.*'],
] as const)('in mode %s, a data stream with too many fields', (mode, stream, prefix) => {
  it('is told of, with the name that most of them are below', () => {
    const { send, explosions, watch } = watching(mode)

    send(users(0, 10))
    expect(explosions).toEqual([])
    expect(watch.problem).toBeUndefined()
    send(users(1000, 50))

    // Where dots make objects, a name is two fields to Elasticsearch: those count too.
    expect(explosions[0]).toMatchObject({ stream, prefix, fields: LIMIT + 1, isMoved: false })
    expect(explosions[0].children).toBeGreaterThan(LIMIT / 3)
    expect(watch.problem).toMatch(
      new RegExp(`^${stream} has more than ${LIMIT} fields: \\d+ different names below `),
    )
    expect(watch.problem).toContain(prefix)
  })

  it('is not told of for each record', () => {
    const { send, explosions } = watching(mode)

    for (let from = 0; from < 2000; from += 100) send(users(from, 100))

    expect(explosions.length).toBeGreaterThan(0)
    expect(explosions.length).toBeLessThan(4)
  })
})

describe('what is watched', () => {
  it('is how many different fields there are, up to a bound', () => {
    const { send, fields } = watching('otel')
    const few = { a: int(1), 'b.c': text('x') }

    send(Array(10).fill(few))
    const before = fields.get('logs-generic.otel-default')?.()
    for (let from = 0; from < 1000; from += 100) send(users(from, 100))

    // @timestamp, data_stream.*, body.text and the two.
    expect(before).toBe(7)
    expect(fields.get('logs-generic.otel-default')?.()).toBe(LIMIT * 4)
  })

  it('is one of 256 documents while nothing is new, and each while there is', () => {
    const { send, fields, explosions } = watching('otel')
    const seen = () => fields.get('logs-generic.otel-default')?.() ?? 0
    const same = Array<Attributes>(256).fill({ a: int(1) })
    for (let i = 0; i < 20; i++) send(same)
    const usual = seen()

    send(Array<Attributes>(256).fill({ a: int(1), b: int(2) }))
    expect(seen()).toBe(usual + 1)
    for (let i = 0; i < 20; i++) send(same)
    send(users(0, 256 + LIMIT))

    expect(explosions).toHaveLength(1)
    expect(explosions[0].children).toBeGreaterThan(LIMIT / 2)
  })

  it('is a hundred data streams, and it is said once that there are more', () => {
    const { send, fields, full } = watching('ecs')
    for (let i = 0; i < 105; i++) send([{ a: int(1) }], { 'data_stream.dataset': text(`d${i}`) })

    expect(fields.size).toBe(100)
    expect(full).toEqual([100])
  })

  it('is not what is in a field that takes any keys', () => {
    const { sendRecords, fields, explosions } = watching('otel')
    const bodies = Array.from({ length: 100 }, (_, at) => ({
      body: { kvlistValue: { values: attributes({ [`k${at}`]: int(1) }) } },
    }))

    sendRecords(bodies)

    // @timestamp, data_stream.* and body.structured.
    expect(fields.get('logs-generic.otel-default')?.()).toBe(5)
    expect(explosions).toEqual([])
  })
})

describe('attributes whose names are made of data', () => {
  it('move into one field in mode otel, from when they are found out', () => {
    const { send, explosions, watch, fields, counts } = watching('otel', { action: 'flatten' })

    const lines = send(users(0, 100))
    const first = lines.findIndex((line) => line.includes('attributes_overflow'))

    expect(explosions).toMatchObject([{ prefix: 'attributes.user.*', isMoved: true, fields: LIMIT + 1 }])
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThanOrEqual(LIMIT + 1)
    expect(JSON.parse(lines[99])).toMatchObject({
      attributes: { 'http.route': '/cart' },
      attributes_overflow: { 'user.99.visits': 99 },
    })
    expect(
      lines.slice(first).filter((line) => !line.includes('"attributes":{"http.route":"/cart"},')),
    ).toEqual([])
    expect(counts).toEqual({ exploding: 100 - first })
    expect(watch.problem).toBeUndefined()
    expect(fields.get('logs-generic.otel-default')?.()).toBeLessThan(10)
  })

  it('move into one field in mode ecs', () => {
    const { send, explosions } = watching('ecs', { action: 'flatten' })

    const lines = send(users(0, 100))

    expect(explosions).toMatchObject([{ prefix: 'user.*', isMoved: true }])
    expect(JSON.parse(lines[99])).toMatchObject({
      http: { route: '/cart' },
      labels_overflow: { user: { 99: { visits: 99 } } },
    })
    expect(lines[99]).not.toContain('},"user":')
  })

  it('move from the start where the config says so', () => {
    const { send, explosions, counts } = watching('otel', { flatten: ['user.*', 'a.b.*', 'a.b.c.*'] })

    const [line] = send([{ 'user.1': int('9223372036854775807'), 'a.b.c.d': int(1), 'a.x': int(2) }])

    expect(line).toContain(
      '"attributes":{"a.x":2},"resource":{"attributes":{}},"scope":{"attributes":{}},"body":{"text":"x"},"attributes_overflow":{"user.1":9223372036854775807,"a.b.c.d":1}}',
    )
    expect(counts).toEqual({ configured: 2 })
    expect(explosions).toEqual([])
  })

  it('move one after the other where there are several kinds of them', () => {
    const { send, explosions } = watching('otel', { action: 'flatten' })
    const carts = users(0, 100).map((set) =>
      Object.fromEntries(Object.entries(set).map(([key, value]) => [key.replace('user', 'cart.of'), value])),
    )

    send(users(0, 100))
    const lines = send(carts)

    expect(explosions.map(({ prefix }) => prefix)).toEqual(['attributes.user.*', 'attributes.cart.of.*'])
    expect(JSON.parse(lines[99])).toMatchObject({ attributes_overflow: { 'cart.of.99.visits': 99 } })
  })

  it.each([
    [
      'have no part of their own before the data',
      'otel',
      (at: number) => ({ [`user${at}`]: int(1) }),
      {},
      'attributes.*',
    ],
    [
      "are the resource's",
      'otel',
      () => ({}),
      (at: number) => ({ [`user.${at}`]: int(1) }),
      'resource.attributes.user.*',
    ],
    [
      'stand beside fields of the exporter',
      'ecs',
      (at: number) => ({ [`event.${at}`]: int(1) }),
      {},
      'event.*',
    ],
  ] as const)('stay, and are told of, where they %s', (_, mode, record, resource, prefix) => {
    const { send, explosions, watch } = watching(mode, { action: 'flatten' })

    const lines = Array.from({ length: 60 }, (_, at) =>
      send([record(at)], typeof resource === 'function' ? resource(at) : resource),
    ).flat()

    expect(explosions[0]).toMatchObject({ prefix, isMoved: false })
    expect(watch.problem).toContain(prefix)
    expect(lines.join('')).not.toContain('_overflow')
  })

  it('are not looked for where there are many fields and no wide name', () => {
    const { send, explosions } = watching('otel', { action: 'flatten' })
    const slim = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`part${at % 20}.name${Math.floor(at / 20)}`, int(1)]),
    )

    const lines = send([slim])

    expect(explosions).toMatchObject([{ isMoved: false }])
    expect(lines[0]).not.toContain('_overflow')
  })
})

describe('the settings', () => {
  it.each(['user', '*', '.*', 'user.*.x', 'user.', 'a..*'])('refuse %j as what is to move', (pattern) => {
    expect(fieldWatchConfig.safeParse({ flatten: [pattern] }).error?.issues[0].message).toContain(
      'such as user.*',
    )
  })
})
