import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { startRedisPath, WORKER_TIMEOUT } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import type { Committed } from './kit/sink.ts'

const ROUNDS = scaled(4, 10)
/** The promise: by then somebody else has delivered what a dead worker held. Long rounds use the default settings. */
const REDELIVERED_WITHIN = scaled(2 * WORKER_TIMEOUT, 60_000)
const TIMEOUTS = scaled({}, { worker_timeout: '30s', heartbeat: '5s' })

describe('F2: a worker that is killed after Elasticsearch stored a bulk and before it says so', {
  timeout: timeLimit(300, 3600),
}, () => {
  it('costs nothing, and what it held is delivered again by another, under the same ids', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using path = await startRedisPath({ drains: 2, connector: TIMEOUTS })
    const { sink, drains } = path
    await using load = path.load()
    let slowest = 0

    for (let round = 0; round < ROUNDS; round++) {
      const victim = drains[round % 2]
      await load.progress(200)
      const { arrivals } = await killAtCommit(round % 2)
      const died = performance.now()
      const seen = new Set(arrivals.map(({ id }) => id))
      await new Promise<void>((resolve) => {
        sink.afterCommit = async (committed) => {
          for (const { id } of committed.arrivals) seen.delete(id)
          if (seen.size === 0) resolve()
          return undefined
        }
      })
      slowest = Math.max(slowest, performance.now() - died)
      sink.afterCommit = undefined
      await victim.restart()
    }
    await load.finish()

    const verdict = await path.verdict()
    const more = { kills: ROUNDS, 'slowest redelivery, ms': Math.round(slowest) }
    report({ name: 'F2 worker', ...path, documents: sink.documents, verdict, more })
    expect(verdict).toEqual(KEPT)
    expect(sink.documents.repeated).toBeGreaterThan(0)
    expect(slowest).toBeLessThan(REDELIVERED_WITHIN)

    /** Kills a drain when the next bulk of its own is stored, which is then never answered. */
    async function killAtCommit(number: number): Promise<Committed> {
      let struck: Committed | undefined
      sink.afterCommit = async (committed) => {
        if (struck || committed.headers['x-drain'] !== String(number)) return undefined
        struck = committed
        await drains[number].kill()
        return 'cut'
      }
      await eventually('the drain stores a bulk', async () => struck !== undefined && !drains[number].running)
      return struck as unknown as Committed
    }
  })
})
