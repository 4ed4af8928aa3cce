import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { type ElasticsearchServer, startElasticsearch } from '../servers/elasticsearch.ts'
import { bufferIsEmpty } from './kit/buffer.ts'
import { stopwatch } from './kit/figures.ts'
import { judge, KEPT } from './kit/oracle.ts'
import { startPacedLoad } from './kit/paced-load.ts'
import { conservation, startRedisPath } from './kit/path.ts'
import { generator } from './kit/random.ts'
import { makeRealSink } from './kit/real-sink.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const RECORDS = scaled(50_000, 1_000_000)
const KILLS = scaled(4, 20)
/** Records a second, while the drain is not far behind. */
const RATE = 20_000
/** Milliseconds that a drain delivers before it is killed, at most. */
const UP_TO = scaled(500, 2_000)
const BODY_LENGTH = 40
const RESTARTS = 2
/** On a machine that has other things to do. */
const START = 300_000
const PATIENCE = timeLimit(180, 900)

describe('a real Elasticsearch', { timeout: timeLimit(600, 3600) }, () => {
  let server: ElasticsearchServer

  beforeAll(async () => {
    server = await startElasticsearch()
  }, START)
  afterAll(() => server?.stop())

  it(`has each of ${RECORDS} records once after ${KILLS} kills of the drain`, async ({ task }) => {
    const report = stopwatch(task)
    const sink = await makeRealSink(server.url)
    const redisOptions = { args: ['--maxmemory', '8gb'] }
    const exporter = { logs_index: sink.stream, timeout: '30s' }
    await using path = await startRedisPath({ sink, exporter, redisOptions })
    const { ledger, drains } = path
    const [drain] = drains
    const random = generator(1)
    let tranches = 1
    const allowed = (): number => Math.min(RECORDS, (tranches * RECORDS) / (KILLS + 1))
    await using load = startPacedLoad(ledger, path.grpc, RATE, { allowed, bodyLength: BODY_LENGTH })

    for (; tranches <= KILLS; tranches++) {
      const sent = async (): Promise<number> =>
        (await drain.metrics()).sum('otelcol_exporter_sent_log_records')
      await eventually('the drain delivers', async () => (await sent()) > 0, PATIENCE)
      await new Promise((resolve) => setTimeout(resolve, random() * UP_TO))
      await drain.kill()
      await drain.restart()
    }
    await eventually('all is issued', async () => ledger.issued === RECORDS, PATIENCE)
    await load.finish()
    await bufferIsEmpty(path, PATIENCE)

    const count = await sink.count()
    const documents = await sink.read()
    const verdict = judge(ledger, documents)
    const more = { kills: KILLS, 'answers of 409': await sink.conflicts(), count }
    report({ name: 'F10 drain killed', ledger, documents, verdict, more })
    expect(ledger.acknowledged).toBe(RECORDS)
    expect(count).toBe(RECORDS)
    expect(documents.size).toBe(RECORDS)
    expect(verdict).toEqual(KEPT)
  })

  it(`loses and doubles nothing when it is restarted ${RESTARTS} times under load`, async ({ task }) => {
    const report = stopwatch(task)
    const sink = await makeRealSink(server.url)
    await using path = await startRedisPath({ sink, exporter: { logs_index: sink.stream } })
    const { ledger, drains } = path
    await using load = path.load({ clients: 1, pause: 50 })
    const delivered = async (): Promise<number> =>
      (await drains[0].metrics()).sum('otelcol_exporter_sent_log_records')

    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = await delivered()
      await eventually('delivery is under way', async () => (await delivered()) > before, PATIENCE)
      const { acknowledged } = ledger
      await server.restart()
      expect(ledger.acknowledged).toBeGreaterThan(acknowledged)
    }
    await load.progress(100)
    await load.finish()
    await bufferIsEmpty(path, PATIENCE)

    const count = await sink.count()
    const documents = await sink.read()
    const verdict = judge(ledger, documents)
    report({ name: 'F10 restarts', ledger, documents, verdict, more: { restarts: RESTARTS, count } })
    expect(verdict).toEqual(KEPT)
    expect(count).toBe(documents.size)
    const { received, accounted } = await conservation(path)
    expect(accounted).toBe(received)
  })
})
