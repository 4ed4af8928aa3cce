import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import type { SetupPlan } from '../../../src/setup.ts'
import { DataStream } from '../../e2e/search.ts'
import { type ElasticsearchServer, startElasticsearch } from '../../servers/elasticsearch.ts'
import type { ElasticsearchFlavor } from '../../servers/elasticsearch-distribution.ts'
import { findJava } from '../../servers/java.ts'
import { never, testContext } from '../../support/component.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'
import { BOTH, documentsAreFound, setUpTwice } from './setup/documents.ts'
import { Place, type Setup } from './setup/kit.ts'

/** Besides Elasticsearch 9, which the other suites use. */
const FLAVORS: readonly {
  readonly flavor: ElasticsearchFlavor
  readonly name: string
  readonly waits: boolean
  readonly setup: Setup
}[] = [
  {
    flavor: '8min',
    name: 'elasticsearch',
    waits: true,
    setup: { lifecycle: { policies: { default: { delete: '14d' } } } },
  },
  {
    flavor: 'opensearch',
    name: 'opensearch',
    // It knows no require_data_stream, which names out of attributes are sent with.
    waits: false,
    setup: {
      ingest_pipeline: { processors: [{ set: { field: 'event_name', value: 'seen', override: false } }] },
    },
  },
]

const noJava = findJava(21) ? '' : 'this machine has no Java 21'

describe.each(FLAVORS)('a real server of the flavor $flavor', ({ flavor, name, waits, setup }) => {
  const problem = flavor === 'opensearch' ? noJava : ''
  let server: ElasticsearchServer
  beforeAll(async () => {
    if (problem === '') server = await startElasticsearch({ flavor, heap: '512m' })
  })
  beforeEach(({ skip }) => skip(problem !== '', problem))
  afterAll(() => server?.stop())

  function exporterOf(settings: object = {}) {
    const context = testContext()
    const parsed = elasticsearch.config.parse({ endpoint: server.url, ...settings })
    const exporter = elasticsearch.create(parsed, context)
    onTestFinished(() => exporter.stop?.(never))
    const send = (dataset: string) => {
      const records = [
        { body: text('one'), timeUnixNano: '1790000000123456789' },
        { body: text('two'), attributes: attributes({ 'exception.type': text('KeyError') }) },
      ]
      const batch = batchOf(records, { attributes: attributes({ 'data_stream.dataset': text(dataset) }) })
      batch.identify(randomBytes(32))
      return exporter.export(batch, never)
    }
    return { exporter, context, send }
  }

  it('tells what it is', async () => {
    const { exporter, context } = exporterOf()
    await exporter.start?.()
    const labels = { flavor: name, version: server.version }
    await expect.poll(() => context.has('sluice_elasticsearch_server_info', labels)).toBe(true)
  })

  it.each(['otel', 'ecs'])('takes documents of the mode %s into a data stream', async (mode) => {
    const stream = await DataStream.create(server.url)
    const { context, send } = exporterOf({ mapping: { mode } })

    await send(stream.dataset)

    const index = `logs-${stream.dataset}${mode === 'otel' ? '.otel' : ''}-default`
    const refreshed = await fetch(`${server.url}/${index}/_refresh`, { method: 'POST' })
    await refreshed.body?.cancel()
    const found = await fetch(`${server.url}/${index}/_search`)
    const { hits } = (await found.json()) as { hits: { hits: { _index: string }[] } }
    expect(hits.hits.map((hit) => hit._index)).toEqual([
      expect.stringContaining(`.ds-${index}-`),
      expect.stringContaining(`.ds-${index}-`),
    ])
    expect(await context.value('otelcol_elasticsearch_docs_processed', { outcome: 'success' })).toBe(2)
  })

  it('knows what it has already', async () => {
    const stream = await DataStream.create(server.url)
    const { exporter, context } = exporterOf()
    const batch = batchOf([{ body: text('x') }], {
      attributes: attributes({ 'data_stream.dataset': text(stream.dataset) }),
    })
    batch.identify(randomBytes(32))

    for (let i = 0; i < 2; i++) await exporter.export(batch, never)

    expect(await stream.count()).toBe(1)
    expect(await context.value('otelcol_elasticsearch_docs_processed', { outcome: 'duplicate' })).toBe(1)
  })

  it('lets documents wait for a template, where it can be told to', async () => {
    const { send } = exporterOf()
    const outcome = await send('no_template').then(
      () => 'delivered',
      (error: { readonly reason: string }) => error.reason,
    )
    expect(outcome).toBe(waits ? 'not_ready' : 'delivered')
  })

  describe('that was set up', () => {
    let place: Place
    let plan: SetupPlan
    beforeAll(async () => {
      if (problem !== '') return
      place = new Place(server.url)
      plan = await setUpTwice(place, { ...BOTH, ...setup })
    })

    documentsAreFound(
      () => place,
      (streams) => (waits ? {} : { logs_index: streams.replace('*', 'default') }),
    )

    it.runIf(flavor === 'opensearch')('says what stands in for the types of Elasticsearch', () => {
      expect(plan.notes.join('\n')).toContain('object with disable_objects instead')
    })

    it.runIf(flavor === 'opensearch')('runs the ingest pipeline of the config', async () => {
      expect(await place.count(place.streams('otel'), { term: { event_name: 'seen' } })).toBe(7)
    })

    it.runIf(flavor === 'opensearch')(
      'says that policies need the plugin, where it is not there',
      async () => {
        const policies = { default: { delete: '14d' } }
        await expect(place.setup({ lifecycle: { policies } }).plan()).rejects.toThrow(
          'opensearch-index-management',
        )
        await expect(place.setup({ lifecycle: { prefer: 'ism' } }).plan()).rejects.toThrow(
          'opensearch-index-management',
        )
      },
    )
  })
})
