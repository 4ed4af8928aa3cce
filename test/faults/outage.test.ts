import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import { RSS_LIMIT, residentBytes, watchMemory } from './kit/memory.ts'
import { KEPT } from './kit/oracle.ts'
import { startPacedLoad } from './kit/paced-load.ts'
import { conservation, startRedisPath } from './kit/path.ts'
import { startSink } from './kit/sink.ts'

/** How long Elasticsearch is away: seconds. */
const SECONDS = Number(process.env.SLUICE_OUTAGE_SECONDS ?? 15)
/** Records a second, from before the outage until after it. */
const RATE = Number(process.env.SLUICE_OUTAGE_RATE ?? 2_000)
const CATCH_UP = 3
/** Backlog that counts as caught up: seconds of input. */
const CAUGHT_UP = 1

/** The state of things at a moment. */
interface Sample {
  readonly seconds: number
  readonly backlog: number
  readonly delivered: number
  readonly gatewayRss: number
  readonly drainRss: number
}

describe('an outage of Elasticsearch', { timeout: 1000 * (300 + 4 * SECONDS) }, () => {
  it(`of ${SECONDS} s at ${RATE} records/s costs nothing, and is caught up with at three times the input`, async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using sink = await startSink(false)
    const redisOptions = { args: ['--maxmemory', '8gb'] }
    await using path = await startRedisPath({ sink, redisOptions })
    const { ledger, gateway, drains } = path
    const { documents } = sink
    using memory = watchMemory(() => [gateway.pid])
    const samples: Sample[] = []
    const started = performance.now()
    const look = (): void => {
      samples.push({
        seconds: Math.round((performance.now() - started) / 100) / 10,
        backlog: ledger.acknowledged - documents.size,
        delivered: documents.size,
        gatewayRss: residentBytes(gateway.pid),
        drainRss: residentBytes(drains[0].pid),
      })
    }
    const sampling = setInterval(look, 1_000)
    await using load = startPacedLoad(ledger, path.grpc, RATE)
    try {
      await eventually('delivery is under way', async () => documents.size > RATE)
      await sink.down()
      await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
      const backlog = ledger.acknowledged - documents.size
      const before = { delivered: documents.size, acknowledged: ledger.acknowledged, at: performance.now() }
      await sink.up()
      const isCaughtUp = async (): Promise<boolean> =>
        !gateway.running || ledger.acknowledged - documents.size < RATE * CAUGHT_UP
      await eventually('the backlog is delivered', isCaughtUp, 1000 * (60 + 2 * SECONDS))
      expect(gateway.running, gateway.output).toBe(true)
      const seconds = (performance.now() - before.at) / 1000
      const output = (documents.size - before.delivered) / seconds
      const input = (ledger.acknowledged - before.acknowledged) / seconds
      await load.finish()

      const verdict = await path.verdict()
      const more = {
        'backlog, records': backlog,
        'catch-up, s': seconds.toFixed(1),
        'records/s out': Math.round(output),
        'records/s in': Math.round(input),
        'highest gateway RSS, MiB': Math.round(memory.highest / 2 ** 20),
      }
      report({ name: `outage of ${SECONDS} s`, ledger, documents, verdict, more })
      expect(verdict).toEqual(KEPT)
      expect(memory.highest).toBeLessThan(RSS_LIMIT)
      expect(output).toBeGreaterThan(CATCH_UP * input)
      const { received, accounted } = await conservation(path)
      expect(accounted).toBe(received)
    } finally {
      clearInterval(sampling)
      const file = process.env.SLUICE_OUTAGE_JSON
      if (file) writeFileSync(file, `${JSON.stringify(samples, undefined, 2)}\n`)
    }
  })
})
