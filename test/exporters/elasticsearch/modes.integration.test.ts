import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import type { MappingMode } from '../../../src/logs/ndjson/mapping.ts'
import { never, testContext } from '../../support/component.ts'
import { payloads, TRACE_ID } from './payloads.ts'

const url = inject('elasticsearchUrl')
const KEY = Buffer.alloc(32, 1)

/** How each mode is asked for the same things. */
interface Expectation {
  readonly mode: MappingMode
  /** Records that become documents, of all payloads. */
  readonly documents: number
  /** Of the bodies that are no maps, in this mode. */
  readonly refused: number
  readonly traceId: { readonly field: string; readonly found: number } | undefined
  readonly attribute: Readonly<Record<string, string | number>>
  readonly text: Readonly<Record<string, string>>
}

const MODES: readonly Expectation[] = [
  {
    mode: 'otel',
    documents: 9,
    refused: 0,
    traceId: { field: 'trace_id', found: 6 },
    attribute: { 'attributes.http.request.method': 'POST' },
    text: { 'body.text': 'accepted' },
  },
  {
    mode: 'ecs',
    documents: 9,
    refused: 0,
    traceId: { field: 'trace.id', found: 6 },
    attribute: { 'http.request.method': 'POST' },
    text: { message: 'accepted' },
  },
  {
    mode: 'none',
    documents: 9,
    refused: 0,
    traceId: { field: 'TraceId', found: 6 },
    attribute: { 'Attributes.http.request.method': 'POST' },
    text: { Body: 'accepted' },
  },
  {
    mode: 'raw',
    documents: 9,
    refused: 0,
    traceId: { field: 'TraceId', found: 6 },
    attribute: { 'http.request.method': 'POST' },
    text: { Body: 'accepted' },
  },
  {
    mode: 'bodymap',
    documents: 1,
    refused: 7,
    traceId: undefined,
    attribute: { 'n.deep': -7 },
    text: { text: 'dict' },
  },
]

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

describe.each(MODES)('documents of four languages in mode $mode', (expected) => {
  const { mode } = expected
  const dataset = `${mode}_${randomBytes(4).toString('hex')}`
  const streams = `logs-${dataset}${mode === 'otel' ? '.otel' : ''}-*`
  const refusals: { readonly reason: string; readonly records: readonly number[] }[] = []
  const context = testContext()

  const search = async (query: object): Promise<readonly { readonly _source: Record<string, unknown> }[]> => {
    const { hits } = (await call('POST', `/${streams}/_search`, { size: 100, query })) as {
      hits: { hits: { _source: Record<string, unknown> }[] }
    }
    return hits.hits
  }

  beforeAll(async () => {
    const attributes = { type: 'object', subobjects: false }
    const otel = {
      attributes,
      resource: { properties: { attributes } },
      body: { properties: { structured: { type: 'flattened' } } },
    }
    await call('PUT', `/_index_template/${dataset}`, {
      index_patterns: [streams],
      priority: 500,
      data_stream: {},
      template: {
        settings: { number_of_replicas: 0 },
        mappings: {
          // One language says deployment.environment, another deployment.environment.name: but for ecs, where both
          // become one field, names with dots must not be objects.
          ...((mode === 'none' || mode === 'raw') && { subobjects: false }),
          properties: { '@timestamp': { type: 'date_nanos' }, ...(mode === 'otel' && otel) },
        },
      },
    })
    const exporter = elasticsearch.create(
      elasticsearch.config.parse({ endpoint: url, mapping: { mode }, document_id: 'attribute' }),
      context,
    )
    for (const { bytes } of await payloads(dataset)) {
      const batch = LogBatch.decode(bytes)
      batch.identify(KEY)
      await exporter.export(batch, never).catch((error: unknown) => {
        refusals.push(...((error as { rejected?: typeof refusals }).rejected ?? []))
        if (refusals.length === 0) throw error
      })
    }
    await exporter.stop?.(never)
    await call('POST', `/${streams}/_refresh`)
  })

  it('are all taken, but for bodies that the mode does not know', async () => {
    const unfit = refusals.filter(({ reason }) => reason.startsWith('its body is no map'))
    // A data stream wants a time, which a body may lack.
    const timeless = refusals.filter(({ reason }) => mode === 'bodymap' && reason.includes('@timestamp'))
    expect(refusals.filter((refusal) => !unfit.includes(refusal) && !timeless.includes(refusal))).toEqual([])
    expect(unfit.reduce((sum, { records }) => sum + records.length, 0)).toBe(expected.refused)
    expect((await search({ match_all: {} })).length).toBe(expected.documents)
    const outcome = { outcome: 'success' }
    expect(await context.value('otelcol_elasticsearch_docs_processed', outcome)).toBe(expected.documents)
  })

  it('are found by their trace', async () => {
    const { field, found } = expected.traceId ?? { field: 'trace_id', found: 0 }
    expect((await search({ match: { [field]: TRACE_ID } })).length).toBe(found)
  })

  it('are found by an attribute', async () => {
    expect((await search({ match: expected.attribute })).length).toBe(1)
  })

  it('are found by a word of their text', async () => {
    expect((await search({ match: expected.text })).length).toBe(1)
  })
})
