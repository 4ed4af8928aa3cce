import { describe, expect, inject, it } from 'vitest'
import { elasticsearch } from '../../exporters/elasticsearch/index.ts'
import { DataStream } from '../e2e/search.ts'
import { never, testContext } from '../support/component.ts'
import { attributes, batchOf, text } from '../support/otlp.ts'

const KEY = Buffer.alloc(32, 1)

function exporterOf(config: object = {}) {
  const context = testContext()
  const exporter = elasticsearch.create(
    elasticsearch.config.parse({ endpoint: inject('elasticsearchUrl'), ...config }),
    context,
  )
  return { exporter, context }
}

function batchFor(stream: DataStream, records: readonly object[]) {
  const batch = batchOf(records, { attributes: attributes({ 'data_stream.dataset': text(stream.dataset) }) })
  batch.identify(KEY)
  return batch
}

describe('the elasticsearch exporter and a real Elasticsearch', () => {
  it('creates the data stream that attributes name, and takes them out of the document', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const { exporter } = exporterOf()

    await exporter.export(
      batchFor(stream, [{ body: text('hello'), timeUnixNano: '1790000000123456789' }]),
      never,
    )

    const [hit] = await stream.all()
    expect(hit._index).toContain(stream.name)
    expect(hit._source).toMatchObject({
      '@timestamp': '1790000000123.456789',
      data_stream: { type: 'logs', dataset: `${stream.dataset}.otel`, namespace: 'default' },
      body: { text: 'hello' },
      resource: { attributes: {} },
    })
    await exporter.stop?.(never)
  })

  it('counts what is there already as delivered', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const { exporter, context } = exporterOf()
    const records = [{ body: text('a') }, { body: text('b') }]

    await exporter.export(batchFor(stream, records), never)
    await exporter.export(batchFor(stream, records), never)

    expect(await stream.count()).toBe(2)
    expect(await context.value('otelcol_elasticsearch_docs_processed', { outcome: 'duplicate' })).toBe(2)
    await exporter.stop?.(never)
  })

  it('gives records with the same content in one request ids of their own', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    const { exporter } = exporterOf()

    await exporter.export(batchFor(stream, [{ body: text('same') }, { body: text('same') }]), never)

    expect(await stream.count()).toBe(2)
    await exporter.stop?.(never)
  })

  it('refuses for good the one record that does not fit the mapping, without quoting it', async () => {
    const properties = { attributes: { properties: { count: { type: 'long' } } } }
    const stream = await DataStream.create(inject('elasticsearchUrl'), properties)
    const { exporter } = exporterOf()
    const record = (count: object) => ({ attributes: attributes({ count }) })
    const batch = batchFor(stream, [
      record({ intValue: '1' }),
      record(text('secret word')),
      record({ intValue: '3' }),
    ])

    const refusal = await exporter.export(batch, never).catch((error: unknown) => error)

    expect(refusal).toMatchObject({
      name: 'PermanentError',
      rejected: [
        {
          records: [1],
          reason: expect.stringMatching(/^400 document_parsing_exception at field attributes.count/),
        },
      ],
    })
    expect(JSON.stringify(refusal)).not.toContain('secret')
    expect(await stream.count()).toBe(2)
    await exporter.stop?.(never)
  })
})
