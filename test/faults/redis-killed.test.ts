import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { startRedis } from '../servers/redis.ts'
import { stopwatch } from './kit/figures.ts'
import type { Ledger } from './kit/ledger.ts'
import { KEPT } from './kit/oracle.ts'
import { startRedisPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const ROUNDS = scaled(3, 20)
const BACKLOG = scaled(2_000, 10_000)
/** What a crash may cost with `everysec`, by the documentation: milliseconds. */
const WINDOW = 2_000
/** Between the clocks of two processes, and the answer to a sender and what it notes of it. */
const MARGIN = 500

/** So many keys of somebody else, a millisecond each, and an ear for clients meanwhile: Redis takes seconds to start. */
const OTHER_KEYS = 4_000
const SLOW_START = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']

describe.each(['everysec', 'always'])(
  'F4: a Redis with appendfsync %s that is killed with SIGKILL',
  {
    timeout: timeLimit(300, 1800),
  },
  (appendfsync) => {
    it('costs no more than it promises, and delivery goes on when it is back', async ({ task }) => {
      const report = stopwatch(task)
      await using redis = await startRedis({ args: ['--appendfsync', appendfsync] })
      await using path = await startRedisPath({ redis })
      const { ledger, sink } = path
      await using load = path.load()
      const deaths: number[] = []

      for (let round = 0; round < ROUNDS; round++) {
        // What Redis holds at the moment of its death is at stake.
        await sink.down()
        await load.progress(BACKLOG)
        await redis.kill()
        deaths.push(Date.now())
        await redis.restart()
        await sink.up()
        await load.progress(200)
      }
      await load.finish()

      const verdict = await path.verdict()
      const oldest = oldestLoss(ledger, verdict.lost, deaths)
      const more = { kills: ROUNDS, 'oldest loss, ms before the kill': oldest }
      report({ name: `F4 ${appendfsync}`, ledger, documents: sink.documents, verdict, more })
      if (appendfsync === 'always') expect(verdict).toEqual(KEPT)
      else {
        expect({ ...verdict, lost: [] }).toEqual(KEPT)
        expect(oldest).toBeLessThan(WINDOW + MARGIN)
      }
    })
  },
)

describe('F4: a Redis that takes long to read its file', { timeout: timeLimit(300, 1200) }, () => {
  it('refuses while it does, and loses nothing', async ({ task }) => {
    const report = stopwatch(task)
    await using redis = await startRedis({ args: ['--appendfsync', 'always', ...SLOW_START] })
    await using path = await startRedisPath({ redis })
    const { ledger, sink, gateway } = path
    await using load = path.load()
    const loading = async (): Promise<number> =>
      (await gateway.metrics()).sum('sluice_buffer_refused_log_records_total', { reason: 'loading' })

    await growOtherKeys(redis.url)
    await load.progress(BACKLOG)
    await redis.kill()
    const restarted = redis.restart()
    await eventually('records are refused because Redis reads its file', async () => (await loading()) > 0)
    await restarted
    await load.progress(200)
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F4 LOADING', ledger, documents: sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
  })
})

/** Writes keys that are read one by one at the next start. */
async function growOtherKeys(url: string): Promise<void> {
  const redis = new Redis(url)
  try {
    for (let i = 0; i < OTHER_KEYS; i += 100) {
      await redis.mset(Array.from({ length: 100 }, (_, j) => [`other:${i + j}`, 'x'.repeat(50)]).flat())
    }
    // As commands of the file Redis would read them without an ear for anybody.
    await redis.bgrewriteaof()
    await eventually('the file is rewritten', async () =>
      /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(await redis.info('persistence')),
    )
  } finally {
    redis.disconnect()
  }
}

/** How long before a death the oldest record was acknowledged that it cost, milliseconds; 0 where none was. */
function oldestLoss(ledger: Ledger, lost: readonly number[], deaths: readonly number[]): number {
  const ages = lost.map((seq) => {
    const at = ledger.ackedAt(seq)
    return (deaths.find((death) => death >= at) ?? at) - at
  })
  return Math.max(0, ...ages)
}
