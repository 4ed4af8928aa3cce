import { randomBytes } from 'node:crypto'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { DataStream } from '../../e2e/search.ts'
import { never, testContext } from '../../support/component.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'
import { startForwarder } from './forwarder.ts'

const UP = 'sluice_elasticsearch_node_up'

function exporterOf(settings: object) {
  const context = testContext()
  const exporter = elasticsearch.create(elasticsearch.config.parse(settings), context)
  onTestFinished(() => exporter.stop?.(never))
  /** Sends a record that is like no other. */
  const send = (dataset: string) => {
    const batch = batchOf([{ body: text('x') }], {
      attributes: attributes({ 'data_stream.dataset': text(dataset) }),
    })
    batch.identify(randomBytes(32))
    return exporter.export(batch, never)
  }
  return { exporter, context, send }
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(inject('elasticsearchUrl') + path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

describe('two nodes of a real Elasticsearch', () => {
  it('lose nothing and report nothing while one is away, and share the work when it is back', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    await using a = await startForwarder(inject('elasticsearchUrl'))
    await using b = await startForwarder(inject('elasticsearchUrl'))
    const { context, send } = exporterOf({ endpoints: [a.url, b.url] })
    const both = async () => [
      await context.value(UP, { node: a.host }),
      await context.value(UP, { node: b.host }),
    ]

    for (let i = 0; i < 4; i++) await send(stream.dataset)
    const before = await both()
    await a.down()
    for (let i = 0; i < 10; i++) await send(stream.dataset)
    const meanwhile = await both()
    await a.up()
    let sent = 14
    for (; (await both())[0] === 0 && sent < 2000; sent++) await send(stream.dataset)

    expect([before, meanwhile, await both()]).toEqual([
      [1, 1],
      [0, 1],
      [1, 1],
    ])
    expect(await stream.count()).toBe(sent)
    expect(new Set(context.states.map(({ state }) => state))).toEqual(new Set(['ok']))
  })

  it('tell of the address that the cluster publishes', async () => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))
    await using seed = await startForwarder(inject('elasticsearchUrl'))
    const { host } = new URL(inject('elasticsearchUrl'))
    const { exporter, context, send } = exporterOf({ endpoint: seed.url, discover: { on_start: true } })

    await exporter.start?.()
    await expect.poll(() => context.has(UP, { node: host }), { timeout: 20_000 }).toBe(true)
    await seed.down()
    await send(stream.dataset)

    expect(await context.has(UP, { node: seed.host })).toBe(false)
    expect(await stream.count()).toBe(1)
  })
})

describe('a real Elasticsearch that is not ready', () => {
  const notReady = { name: 'RetryableError', reason: 'not_ready', remaining: undefined, rejected: [] }
  const endpoint = inject('elasticsearchUrl')

  it('gets everything later where no template makes a data stream', async () => {
    const { send, context } = exporterOf({ endpoint })

    await expect(send('no_template')).rejects.toMatchObject(notReady)
    expect(context.states.at(-1)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('404 index_not_found_exception logs-no_template.otel-default'),
    })
  })

  it('is given up on for what alone it does not take', async () => {
    const stream = await DataStream.create(endpoint)
    const { send } = exporterOf({ endpoint })
    await send(stream.dataset)

    await expect(send('no_template')).rejects.toMatchObject({
      name: 'PermanentError',
      rejected: [{ reason: '404 index_not_found_exception logs-no_template.otel-default' }],
    })
  })

  it('gets everything later where the ingest pipeline is missing', async () => {
    const stream = await DataStream.create(endpoint)
    const { send } = exporterOf({ endpoint, pipeline: 'no_pipeline' })
    await expect(send(stream.dataset)).rejects.toMatchObject(notReady)
  })

  it('gets everything later where it may hold no more shards', async () => {
    const stream = await DataStream.create(endpoint)
    const { send } = exporterOf({ endpoint })
    const limit = (value: number | null) =>
      call('PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': value } })
    onTestFinished(async () => void (await limit(null)))

    await limit(1)
    await expect(send(stream.dataset)).rejects.toMatchObject(notReady)
    await limit(null)
    await send(stream.dataset)

    expect(await stream.count()).toBe(1)
  })

  it('gets everything later where the index is closed', async () => {
    const index = `closed-${randomBytes(4).toString('hex')}`
    await call('PUT', `/${index}`, { settings: { number_of_replicas: 0 } })
    await call('POST', `/${index}/_close`)
    const { send } = exporterOf({ endpoint, logs_index: index })

    await expect(send('x')).rejects.toMatchObject(notReady)
    await call('POST', `/${index}/_open`)
    await send('x')
  })
})

it.each([1, 9])('a real Elasticsearch takes gzip of level %d', async (level) => {
  const stream = await DataStream.create(inject('elasticsearchUrl'))
  const { send } = exporterOf({
    endpoint: inject('elasticsearchUrl'),
    compression: 'gzip',
    compression_params: { level },
  })

  await send(stream.dataset)

  expect(await stream.count()).toBe(1)
})
