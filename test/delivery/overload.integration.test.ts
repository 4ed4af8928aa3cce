import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { numberedRequest } from '../e2e/client.ts'
import { DataStream } from '../e2e/search.ts'
import { eventually } from '../e2e/sluice.ts'
import { type TemporaryFolder, temporaryFolder } from '../servers/at-exit.ts'
import { type ElasticsearchServer, startElasticsearch } from '../servers/elasticsearch.ts'
import { fillBacklog, startDrain } from './backlog.ts'

const REQUESTS = 20
const RECORDS = 500
const CONSUMERS = 16
const PATIENCE_MS = 240_000

describe('a drain and a real Elasticsearch with room for two requests and 2 MiB', () => {
  let elasticsearch: ElasticsearchServer
  let folder: TemporaryFolder

  beforeAll(async () => {
    elasticsearch = await startElasticsearch({
      heap: '512m',
      settings: {
        'node.processors': 1,
        'thread_pool.write.queue_size': 1,
        'indexing_pressure.memory.limit': '2mb',
      },
    })
    folder = await temporaryFolder('overload')
  }, 240_000)

  afterAll(async () => {
    await Promise.all([elasticsearch?.stop(), folder?.remove()])
  })

  /** A data stream, and a buffer that holds all requests for it. */
  async function backlog(): Promise<DataStream> {
    const stream = await DataStream.create(elasticsearch.url)
    const requests = Array.from(
      { length: REQUESTS },
      (_, index) => () => numberedRequest(index, RECORDS, stream.dataset).bytes,
    )
    await fillBacklog(folder.path, requests)
    return stream
  }

  it('has fewer requests under way when it is refused, and delivers every record once', async () => {
    const stream = await backlog()

    await using drain = await startDrain(folder.path, {
      url: elasticsearch.url,
      index: stream.name,
      sendingQueue: `{ num_consumers: ${CONSUMERS}, batch: { max_size: 64KiB } }`,
    })
    const limits: number[] = []
    await eventually(
      'everything is delivered',
      async () => {
        const metrics = await drain.metrics()
        limits.push(metrics.sum('sluice_exporter_concurrency_limit'))
        const held = metrics.sum('sluice_buffer_records')
        return held === 0 && metrics.sum('otelcol_exporter_sent_log_records') > 0
      },
      PATIENCE_MS,
    )

    const metrics = await drain.metrics()
    expect(await stream.count()).toBe(REQUESTS * RECORDS)
    expect(metrics.sum('otelcol_exporter_sent_log_records')).toBe(REQUESTS * RECORDS)
    expect(metrics.sum('sluice_dead_letter_log_records_total')).toBe(0)
    expect(metrics.sum('sluice_buffer_records')).toBe(0)
    expect(metrics.sum('otelcol_elasticsearch_docs_processed', { outcome: 'too_many' })).toBeGreaterThan(0)
    expect(metrics.sum('sluice_exporter_concurrency_cuts_total', { reason: 'too_many' })).toBeGreaterThan(0)
    expect(Math.max(...limits)).toBeLessThanOrEqual(CONSUMERS)
    expect(limits.at(-1)).toBeLessThan(CONSUMERS)
  }, 300_000)

  it('sends in halves what takes more memory than there is for all requests', async () => {
    const stream = await backlog()

    await using drain = await startDrain(folder.path, {
      url: elasticsearch.url,
      index: stream.name,
      sendingQueue: '{ num_consumers: 1, batch: { flush_timeout: 1s, min_size: 8MiB, max_size: 8MiB } }',
    })
    await eventually('everything is delivered', async () => (await stream.count()) === REQUESTS * RECORDS)

    const metrics = await drain.metrics()
    expect(metrics.sum('sluice_exporter_failed_attempts_total')).toBe(0)
    expect(metrics.sum('sluice_dead_letter_log_records_total')).toBe(0)
  })
})
