import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Bulk, BulkRenderer } from '../../../exporters/elasticsearch/bulk.ts'
import { config, defaultMode } from '../../../exporters/elasticsearch/config.ts'
import type { IdOptions } from '../../../exporters/elasticsearch/document-id.ts'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { type MappingOptions, Mappings } from '../../../exporters/elasticsearch/mappings.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { MAPPING_MODES } from '../../../src/logs/ndjson/mapping.ts'
import { memory } from '../../../src/memory.ts'
import { never, testContext } from '../../support/component.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'

type Texts = Readonly<Record<string, string>>

const attributesOf = (texts: Texts): object[] =>
  attributes(Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, text(value)])))
const map = (texts: Texts): object => ({ kvlistValue: { values: attributesOf(texts) } })
const ALL: MappingOptions = { mode: 'otel', allowed: MAPPING_MODES }

interface Action {
  readonly create: { readonly _index: string; readonly _id?: string }
}

/** What a batch becomes: its actions and documents, and the rest of the bulk. */
function rendered(batch: LogBatch, options = ALL, ids?: IdOptions) {
  batch.identify(Buffer.alloc(32))
  const renderer = new BulkRenderer(new Targets({ pipelines: true }), new Mappings(options), ids)
  const bulk: Bulk = renderer.render(batch)
  const lines = bulk.body.toString().split('\n').slice(0, -1)
  memory.give(bulk.body)
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    bulk,
    actions: parsed.filter((_, at) => at % 2 === 0) as unknown as Action[],
    documents: parsed.filter((_, at) => at % 2 === 1),
  }
}

const record = (body: string, texts: Texts = {}): object => ({
  body: text(body),
  attributes: attributesOf(texts),
})

describe('the mapping mode of a record', () => {
  const ecs = { 'elastic.mapping.mode': 'ecs' }

  it('is what its scope asks for, and leaves no trace in the document', () => {
    const { documents, actions } = rendered(batchOf([record('a')], {}, { attributes: attributesOf(ecs) }))
    expect(documents).toMatchObject([{ message: 'a' }])
    expect(JSON.stringify(documents)).not.toContain('mapping')
    expect(actions[0].create._index).toBe('logs-generic-default')
  })

  it('is its own before that of its scope, and that before that of its resource', () => {
    const mode = (name: string): Texts => ({ 'elastic.mapping.mode': name })
    const records = [record('a', mode('RAW')), record('b'), record('c', mode('no')), record('d')]
    const resource = { attributes: attributesOf({ ...mode('otel'), 'service.name': 'shop' }) }
    const { documents } = rendered(batchOf(records, resource, { attributes: attributesOf(mode('ecs')) }))
    expect(documents).toMatchObject([
      { Body: 'a', 'data_stream.type': 'logs', 'Resource.service.name': 'shop' },
      { message: 'b', service: { name: 'shop' } },
      { Body: 'c', 'Attributes.data_stream.type': 'logs' },
      { message: 'd', service: { name: 'shop' } },
    ])
  })

  it('refuses that record alone when it is not allowed, or unknown', () => {
    const records = [record('a'), record('b', ecs), record('c', { 'elastic.mapping.mode': 'x' }), record('d')]
    const { documents, bulk } = rendered(batchOf(records), { mode: 'otel', allowed: ['otel', 'raw'] })
    expect(documents).toMatchObject([{ body: { text: 'a' } }, { body: { text: 'd' } }])
    expect(bulk.records).toEqual([0, 3])
    expect(bulk.rejected).toEqual([{ reason: expect.stringContaining('allowed_modes'), records: [1, 2] }])
    expect(bulk.missing).toEqual(new Map([['mapping_mode', 2]]))
  })

  it('is the first of those that are allowed where otel is not among them', () => {
    const modeOf = (mapping: object) => defaultMode(config.parse({ endpoint: 'http://es:9200', mapping }))
    expect(modeOf({})).toBe('otel')
    expect(modeOf({ allowed_modes: ['raw', 'otel'] })).toBe('otel')
    expect(modeOf({ allowed_modes: ['raw', 'ecs'] })).toBe('raw')
    expect(modeOf({ mode: 'ecs' })).toBe('ecs')
  })
})

describe('the mode bodymap', () => {
  const BODYMAP: MappingOptions = { mode: 'bodymap', allowed: MAPPING_MODES }

  it('takes bodies for documents, and refuses those that are no maps', () => {
    const records = [
      { body: map({ 'a.b': '1', a: '2' }), attributes: attributesOf({ x: 'y' }) },
      record('text'),
      {},
      { body: { kvlistValue: { values: [] } } },
    ]
    const { documents, bulk } = rendered(batchOf(records), BODYMAP)
    expect(documents).toEqual([{ 'a.b': '1', a: '2' }, {}])
    expect(bulk.rejected).toMatchObject([{ records: [1, 2] }])
    expect(bulk.missing).toEqual(new Map([['no_map', 2]]))
  })

  it('knows data streams of metrics, and no other type', () => {
    const type = (name: string): object => ({
      body: map({ a: '1' }),
      attributes: attributesOf({ 'data_stream.type': name }),
    })
    const { actions, bulk } = rendered(batchOf([type('metrics'), type('traces')]), BODYMAP)
    expect(actions).toMatchObject([{ create: { _index: 'metrics-generic-default' } }])
    expect(bulk.missing).toEqual(new Map([['data_stream_type', 1]]))
  })
})

describe('attributes that steer a document', () => {
  const steered = record('a', {
    'elasticsearch.document_id': 'mine "1"',
    'elasticsearch.ingest_pipeline': 'clean',
  })

  it('name its id and its pipeline where they may', () => {
    const { actions } = rendered(batchOf([steered, record('b')]), ALL, { attribute: true, batch: false })
    expect(actions).toMatchObject([{ create: { _id: 'mine "1"', pipeline: 'clean' } }, { create: {} }])
    expect(actions[1].create).not.toHaveProperty('_id')
  })

  it('name no id where they may not', () => {
    const { actions } = rendered(batchOf([steered]))
    expect(actions[0].create._id).toMatch(/^[\w-]{30}-0$/)
  })

  it('name nothing for all records of a resource at once', () => {
    const resource = { attributes: attributesOf({ 'elasticsearch.document_id': 'same' }) }
    const { actions } = rendered(batchOf([record('a'), record('b')], resource), ALL, {
      attribute: true,
      batch: true,
    })
    expect(new Set(actions.map(({ create }) => create._id)).size).toBe(2)
  })

  it.each(['x'.repeat(513), '漢'.repeat(171), '\u0001'.repeat(512), ' '])(
    'name ids that Elasticsearch takes',
    (id) => {
      const { actions } = rendered(batchOf([record('a', { 'elasticsearch.document_id': id })]), ALL, {
        attribute: true,
        batch: true,
      })
      expect(Buffer.byteLength(actions[0].create._id ?? '')).toBeLessThanOrEqual(512)
    },
  )

  it.each(MAPPING_MODES)('are no part of documents of mode %s', (mode) => {
    const control = {
      'data_stream.type': 'logs',
      'elasticsearch.document_id': 'secret',
      'elasticsearch.ingest_pipeline': 'secret',
      'elasticsearch.index': 'secret',
      'elastic.mapping.mode': mode,
    }
    const batch = batchOf(
      [{ body: map({ a: '1' }), attributes: attributesOf(control) }],
      { attributes: attributesOf({ 'elasticsearch.index': 'secret' }) },
      { attributes: attributesOf({ 'elasticsearch.index': 'secret', 'data_stream.namespace': 'secret' }) },
    )
    const { documents } = rendered(batch)
    expect(documents.length).toBe(1)
    expect(JSON.stringify(documents)).not.toMatch(/secret|data_stream|elastic/)
  })

  it('keep a record out of Elasticsearch that says so', () => {
    const hints = (...values: string[]): object => ({ arrayValue: { values: values.map(text) } })
    const hinted = (value: object): object => ({
      attributes: attributes({ 'elasticsearch.mapping.hints': value }),
    })
    const batch = batchOf([
      hinted(hints('_doc_count', '_noindex')),
      hinted(hints('_doc_count')),
      hinted(text('_noindex')),
    ])
    const { bulk } = rendered(batch)
    expect(bulk.records).toEqual([1, 2])
    expect(bulk.rejected).toEqual([])
    expect(bulk.missing).toEqual(new Map([['unindexed', 1]]))
  })

  it('are as long as they like', () => {
    const long = 'x'.repeat(2_000_000)
    const { documents } = rendered(
      batchOf([
        record('a', { 'elasticsearch.ingest_pipeline': long, 'data_stream.dataset': long }),
        record('b'),
      ]),
    )
    expect(documents).toMatchObject([{ body: { text: 'a' } }, { body: { text: 'b' } }])
  })
})

describe('a scope that stands for a dataset', () => {
  const indexOf = (scope: object, texts: Texts = {}): string =>
    rendered(batchOf([record('a', texts)], {}, scope)).actions[0].create._index
  const receiver = { name: 'github.com/open-telemetry/x/receiver/hostmetricsreceiver/internal/cpu' }

  it.each([
    [receiver, 'logs-hostmetricsreceiver.otel-default'],
    [{ name: 'x/connector/countconnector' }, 'logs-countconnector.otel-default'],
    [{ name: 'go.opentelemetry.io/collector/service' }, 'logs-collectortelemetry.otel-default'],
    [{ name: 'x', attributes: attributesOf({ 'encoding.format': 'aws.elb' }) }, 'logs-aws.elb.otel-default'],
    [{ name: 'x/receiver/' }, 'logs-generic.otel-default'],
  ])('names it: %j is %s', (scope, index) => {
    expect(indexOf(scope)).toBe(index)
  })

  it('gives way to an attribute', () => {
    expect(indexOf(receiver, { 'data_stream.dataset': 'own' })).toBe('logs-own.otel-default')
  })
})

describe('the settings of modes and routes', () => {
  const problemsOf = (settings: object): string[] =>
    config
      .safeParse({ endpoint: 'http://es:9200', ...settings })
      .error?.issues.map(({ path }) => path.join('.')) ?? []

  it.each<[object, string]>([
    [{ mapping: { mode: 'ECS' } }, 'mapping.mode'],
    [{ mapping: { mode: 'ecs', allowed_modes: ['otel'] } }, 'mapping.mode'],
    [{ mapping: { allowed_modes: [] } }, 'mapping.allowed_modes'],
    [{ logs_index: 'a', logs_dynamic_index: { enabled: true } }, 'logs_dynamic_index'],
    [{ logstash_format: { date_format: '%Q' } }, 'logstash_format.date_format'],
    [{ logstash_format: { date_format: '%Y/%m' } }, 'logstash_format.date_format'],
    [{ logstash_format: { prefix_separator: 'A' } }, 'logstash_format.prefix_separator'],
    [{ document_id: 'random' }, 'document_id'],
  ])('are refused when they are wrong: %j', (settings, path) => {
    expect(problemsOf(settings)).toEqual([path])
  })
})

describe('what the exporter counts', () => {
  it('is every record that became no document and every field that clashed, once it is settled', async () => {
    const statuses = [503, 200]
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(statuses.shift() ?? 500).end('{"errors":false}'))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const context = testContext()
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const exporter = elasticsearch.create(
      elasticsearch.config.parse({ endpoint, mapping: { mode: 'ecs' } }),
      context,
    )
    const batch = batchOf([
      record('a', { x: '1', 'x.y': '2' }),
      record('b', { 'elastic.mapping.mode': 'unknown' }),
    ])
    batch.identify(Buffer.alloc(32))

    await expect(exporter.export(batch, never)).rejects.toMatchObject({ name: 'RetryableError' })
    await expect(exporter.export(batch, never)).rejects.toMatchObject({ rejected: [{ records: [1] }] })
    await exporter.stop?.(never)

    const missing = { reason: 'mapping_mode' }
    expect(await context.value('sluice_elasticsearch_missing_documents_total', missing)).toBe(1)
    expect(await context.value('sluice_elasticsearch_field_clashes_total', { reason: 'object' })).toBe(1)
  })
})
