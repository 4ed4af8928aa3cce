import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { DASHBOARD_MODES, DELAY } from '../../../exporters/elasticsearch/kibana/fields.ts'
import { installKibana } from '../../../exporters/elasticsearch/kibana/install.ts'
import type { LensAttributes } from '../../../exporters/elasticsearch/kibana/lens.ts'
import { kibanaObjects } from '../../../exporters/elasticsearch/kibana/objects.ts'
import type { SavedObject } from '../../../exporters/elasticsearch/kibana/saved-object.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { type ElasticsearchServer, startElasticsearch } from '../../servers/elasticsearch.ts'
import { never, testContext } from '../../support/component.ts'
import { accessLog } from './kibana-documents.ts'
import {
  aggregationsOf,
  jsonOf,
  layerOf,
  panelsOf,
  queryOf,
  type Row,
  rowsOf,
  searchSourceOf,
} from './kibana-queries.ts'
import { payloads } from './payloads.ts'

const objects = kibanaObjects()
const byId = new Map(objects.map((object) => [object.id, object]))
const searches = objects.filter(({ type }) => type === 'search')
const charts = objects
  .filter(({ type }) => type === 'dashboard')
  .flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ embeddableConfig: { attributes } }) =>
      attributes
        ? [{ dashboard: dashboard.attributes.title, title: attributes.title, chart: attributes }]
        : [],
    ),
  )

/** A server with scripts takes its time to start on a busy machine. */
const BOOT_TIMEOUT = 400_000

/** One with scripts: data views compute fields. */
let server: ElasticsearchServer

async function call(method: string, path: string, body?: object | string): Promise<unknown> {
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  const response = await fetch(server.url + path, {
    method,
    ...(text && { headers: { 'content-type': 'application/json' }, body: text }),
  })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

interface Found {
  readonly hits: {
    readonly total: { readonly value: number }
    readonly hits: readonly { readonly fields: Readonly<Record<string, readonly unknown[]>> }[]
  }
  readonly aggregations: Readonly<Record<string, unknown>>
}

/** Asks as Kibana does: over the pattern of the data view, with the fields that this computes. */
async function search(dataView: SavedObject, body: object): Promise<Found> {
  const pattern = encodeURIComponent(dataView.attributes.title)
  return (await call('POST', `/${pattern}/_search?ignore_unavailable=true`, {
    runtime_mappings: jsonOf(dataView, 'runtimeFieldMap'),
    ...body,
  })) as Found
}

const dataViewOf = ({ references }: { references: SavedObject['references'] }): SavedObject =>
  byId.get(references[0].id) as SavedObject

async function rowsFound(chart: LensAttributes): Promise<Row[]> {
  const body = { size: 0, query: queryOf(layerOf(chart).kql), aggs: aggregationsOf(chart) }
  return rowsOf(chart, (await search(dataViewOf(chart), body)).aggregations)
}

/** The chart of a mode, or of all. */
function chartCalled(title: string, mode?: string): LensAttributes {
  const found = charts.find(
    (candidate) => candidate.title === title && (!mode || candidate.dashboard.endsWith(`(${mode})`)),
  )
  if (found === undefined) throw new Error(`no chart ${title}`)
  return found.chart
}

beforeAll(async () => {
  server = await startElasticsearch({ flavor: '9' })
  const attributes = { type: 'object', subobjects: false }
  const otel = {
    properties: {
      '@timestamp': { type: 'date_nanos' },
      observed_timestamp: { type: 'date_nanos' },
      attributes,
      resource: { properties: { attributes } },
      body: { properties: { structured: { type: 'flattened' }, text: { type: 'text' } } },
    },
  }
  const keywords = [
    { strings: { match_mapping_type: 'string', mapping: { type: 'keyword', ignore_above: 1024 } } },
  ]
  const template = (name: string, pattern: string, priority: number, mappings: object) =>
    call('PUT', `/_index_template/${name}`, {
      index_patterns: [pattern],
      priority,
      data_stream: {},
      template: {
        settings: { number_of_replicas: 0 },
        mappings: { dynamic_templates: keywords, ...mappings },
      },
    })
  await template('all', 'logs-*-*', 500, { properties: { message: { type: 'text' } } })
  await template('otel', 'logs-*.otel-*', 501, otel)
  const words = {
    properties: { ...otel.properties, event: { properties: { ingested: { type: 'keyword' } } } },
  }
  await template('words', 'logs-words*', 502, words)

  for (const mode of DASHBOARD_MODES) {
    const exporter = elasticsearch.create(
      elasticsearch.config.parse({ endpoint: server.url, mapping: { mode } }),
      testContext(),
    )
    for (const bytes of [
      ...(await payloads('golden')).map((payload) => payload.bytes),
      accessLog('access'),
    ]) {
      const batch = LogBatch.decode(bytes)
      batch.identify(Buffer.alloc(32, 1))
      await exporter.export(batch, never)
    }
    await exporter.stop?.(never)
  }
  const refusals = [
    ['document_parsing_exception', '400 document_parsing_exception at field attributes.status of type long'],
    ['document_parsing_exception', '400 document_parsing_exception at field attributes.status of type long'],
    ['illegal_argument_exception', '400 illegal_argument_exception'],
  ]
  for (const [at, [type, reason]] of refusals.entries()) {
    await call('POST', '/logs-sluice.dlq-default/_doc', {
      '@timestamp': `2026-09-21T14:13:2${at}Z`,
      data_stream: { type: 'logs', dataset: 'sluice.dlq', namespace: 'default' },
      reason,
      http: { response: { status_code: 400 } },
      error: { type, ...(reason.includes('field') && { field: 'attributes.status', field_type: 'long' }) },
      target: { index: 'logs-shop.otel-default', id: `id-${at}` },
      pipeline: 'logs/drain',
      exporter: 'elasticsearch',
      service: { name: 'shop' },
    })
  }
  await call('POST', '/_all/_refresh')
}, BOOT_TIMEOUT)

afterAll(() => server?.stop())

describe('every chart, asked of Elasticsearch,', () => {
  it.each(charts)('finds something: $dashboard, $title', async ({ chart }) => {
    const rows = await rowsFound(chart)

    expect(rows.length).toBeGreaterThan(0)
    const { columns } = layerOf(chart)
    for (const [id, { isBucketed }] of Object.entries(columns)) {
      const values = rows.map((row) => row[id])
      expect(
        values.some((value) => (isBucketed ? value !== null : Number.isFinite(value))),
        id,
      ).toBe(true)
    }
  })
})

describe.each(DASHBOARD_MODES)('the charts of documents in mode %s', (mode) => {
  const sum = (rows: readonly Row[], id: string): number =>
    rows.reduce((total, row) => total + Number(row[id]), 0)

  it('count the records of this mode, and no dead letters', async () => {
    expect(await rowsFound(chartCalled('Records', mode))).toEqual([{ records: 19 }])
    expect(await rowsFound(chartCalled('Services', mode))).toEqual([{ services: 5 }])
  })

  it('know errors by their severity, in whatever words a language says it', async () => {
    const [{ rate, rateX0 }] = await rowsFound(chartCalled('Error rate', mode))
    const perService = await rowsFound(chartCalled('Error rate by service', mode))

    expect(rateX0).toBe(6)
    expect(rate).toBeCloseTo(6 / 19)
    expect(Object.fromEntries(perService.map((row) => [row.top, row.rate]))).toEqual({
      web: 0.2,
      checkout: 1 / 3,
      inventory: 1 / 3,
      orders: 0.5,
      gateway: 1,
    })
  })

  it('put each record into one level, but for numbers that OTLP does not know', async () => {
    const rows = await rowsFound(chartCalled('Records by level', mode))

    expect(Object.fromEntries(rows.map((row) => [row.group, row.records]))).toEqual({
      Error: 5,
      Warning: 1,
      Info: 12,
    })
    expect(sum(rows, 'records')).toBe(18)
  })

  it('show the services with the most records first', async () => {
    const [first] = await rowsFound(chartCalled('Top services', mode))

    expect(first).toMatchObject({ top: 'web', records: 10, errors: 2, rate: 0.2 })
    expect(first.p95).toBeGreaterThan(1.8e9)
  })

  it('name the errors', async () => {
    const rows = await rowsFound(chartCalled('Top error types', mode))

    expect(Object.fromEntries(rows.map((row) => [row.top, row.errors]))).toEqual({
      TimeoutError: 2,
      CardError: 1,
      KeyError: 1,
      'java.sql.SQLException': 1,
    })
  })

  it('find slow requests, and how slow they are', async () => {
    expect(await rowsFound(chartCalled('Slow requests', mode))).toEqual([{ slow: 6 }])
    const [durations] = await rowsFound(chartCalled('Duration of requests', mode))
    expect(durations.p50).toBeGreaterThan(0.8e9)
    expect(durations.p50).toBeLessThan(1.4e9)
    expect(durations.p99).toBeGreaterThan(Number(durations.p50))
    const paths = await rowsFound(chartCalled('Slowest paths', mode))
    expect(Object.fromEntries(paths.map((row) => [row.top, [row.slow, row.max]]))).toEqual({
      '/cart': [3, 1.8e9],
      '/pay': [3, 2e9],
    })
  })

  it('tell how late documents are', async () => {
    const [delay] = await rowsFound(chartCalled(`Delay (${mode})`))

    expect(delay.max).toBe(100)
    expect(delay.p50).toBeLessThan(60)
  })

  it('reckon the delay to the indexing where an ingest pipeline noted it as a date', async () => {
    const suffix = mode === 'otel' ? '.otel' : ''
    const event = { ingested: '2020-01-01T00:00:05Z', created: '2020-01-01T00:00:01Z' }
    const late = { '@timestamp': '2020-01-01T00:00:00Z', observed_timestamp: event.created, event }
    for (const dataset of ['late', 'words']) {
      await call('POST', `/logs-${dataset}${suffix}-default/_doc?refresh`, late)
    }

    const { hits } = await search(byId.get(`sluice-${mode}`) as SavedObject, {
      query: { range: { '@timestamp': { lt: '2021-01-01T00:00:00Z' } } },
      sort: ['_index'],
      fields: [DELAY],
    })

    expect(hits.hits.map(({ fields }) => fields[DELAY])).toEqual([[5000], [1000]])
    for (const dataset of ['late', 'words']) {
      const stream = `logs-${dataset}${suffix}-default`
      await call('POST', `/${stream}/_delete_by_query?refresh`, { query: { match_all: {} } })
    }
  })

  it('tell the datasets apart', async () => {
    const rows = await rowsFound(chartCalled(`Records by dataset (${mode})`))

    const suffix = mode === 'otel' ? '.otel' : ''
    expect(Object.fromEntries(rows.map((row) => [row.top, row.records]))).toEqual({
      [`access${suffix}`]: 10,
      [`golden${suffix}`]: 9,
    })
  })
})

describe('the dead letters', () => {
  it('are counted by reason', async () => {
    expect(await rowsFound(chartCalled('Dead letters'))).toEqual([{ letters: 3 }])
    expect(await rowsFound(chartCalled('Reasons of dead letters'))).toEqual([
      { top: '400 document_parsing_exception at field attributes.status of type long', letters: 2 },
      { top: '400 illegal_argument_exception', letters: 1 },
    ])
    const byError = await rowsFound(chartCalled('Dead letters by error'))
    expect(byError.map((row) => [row.top, row.letters])).toEqual([
      ['document_parsing_exception', 2],
      ['illegal_argument_exception', 1],
    ])
  })
})

describe('every saved search', () => {
  const TOTALS: Readonly<Record<string, number>> = {
    errors: 6,
    slow: 6,
    trace: 16,
    'dead-letters-search': 3,
  }

  it.each(searches.map((object) => [object.attributes.title, object] as const))(
    'finds what it is called after, with its columns: %s',
    async (_, object) => {
      const columns = object.attributes.columns as string[]
      const { hits } = await search(dataViewOf(object), {
        size: 100,
        query: queryOf(searchSourceOf(object).query.query),
        fields: columns,
        sort: (object.attributes.sort as [string, string][]).map(([field, order]) => ({ [field]: order })),
      })

      const name = object.id.replace(/^sluice-(?:otel-|ecs-)?/, '')
      expect(hits.total.value).toBe(TOTALS[name])
      expect(new Set(hits.hits.flatMap(({ fields }) => Object.keys(fields)))).toEqual(new Set(columns))
    },
  )
})

describe('installing with the URL of Elasticsearch instead of Kibana', () => {
  it('says so', async () => {
    await expect(installKibana({ url: server.url, objects, overwrite: true }, never)).rejects.toThrow(
      'this is how Elasticsearch answers; give the URL of Kibana',
    )
  })
})
