import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { startRedis } from '../servers/redis.ts'
import { type Clock, makeClock } from './kit/clock.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { startDiskPath, startRedisPath, WORKER_TIMEOUT } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const HOUR = 3_600
const ROUNDS = scaled(1, 10)
/** Of records that have to get through after each jump. */
const ENOUGH = 500
/** Of deliveries after a jump, milliseconds: a timer that waits for the hour to pass would take longer. */
const SOON = 30_000

describe.each<{ what: string; monotonic: boolean; jumps: readonly number[] }>([
  { what: 'the wall clock goes an hour forth and back', monotonic: false, jumps: [HOUR, 0, -HOUR, 0] },
  // The monotonic clock is one because it never goes back.
  { what: 'all clocks go an hour forth', monotonic: true, jumps: [HOUR, 2 * HOUR] },
])('F11: $what', { timeout: timeLimit(300, 1800) }, ({ what, monotonic, jumps }) => {
  it('on a machine with gateway, Redis and drains: all goes on', async ({ task }) => {
    const report = stopwatch(task)
    await using clock = await makeClock(monotonic)
    await using redis = await startRedis({ env: clock.env })
    await using path = await startRedisPath({ redis, drains: 2, env: clock.env })
    await using load = path.load()

    await jumpAround(clock, jumps, async () => {
      await load.progress(ENOUGH, SOON)
      await delivered(path)
    })
    await load.finish()

    const verdict = await path.verdict()
    report({ name: `F11 redis, ${what}`, ...path, documents: path.sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
  })

  it('on a machine with a gateway and a folder: all goes on', async ({ task }) => {
    const report = stopwatch(task)
    await using clock = await makeClock(monotonic)
    await using path = await startDiskPath({ env: clock.env })
    await using load = path.load()

    await jumpAround(clock, jumps, async () => {
      await load.progress(ENOUGH, SOON)
      await delivered(path)
    })
    await load.finish()

    const verdict = await path.verdict()
    report({ name: `F11 disk, ${what}`, ...path, documents: path.sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
  })
})

describe('F11: the clock of Redis alone jumps by an hour', { timeout: timeLimit(300, 1800) }, () => {
  it.for([
    ['forth', HOUR],
    ['back', -HOUR],
  ] as const)(
    '%s: what a dead worker held is delivered by another in time',
    async ([name, seconds], { task }) => {
      const report = stopwatch(task)
      await using clock = await makeClock(false)
      await using redis = await startRedis({ env: clock.env })
      await using path = await startRedisPath({ redis, drains: 2 })
      const { sink, drains, ledger } = path
      await using load = path.load()
      await load.progress(ENOUGH)

      // It dies with something in its hands.
      sink.afterCommit = async ({ headers }) => {
        if (headers['x-drain'] !== '1') return undefined
        await drains[1].kill()
        return 'cut'
      }
      await eventually('the worker is dead', async () => !drains[1].running)
      sink.afterCommit = undefined
      const before = sink.documents.repeated
      clock.jump(seconds)
      const jumped = performance.now()
      await load.finish()
      await eventually('what it held is delivered again', async () => sink.documents.repeated > before, SOON)
      const redelivery = Math.round(performance.now() - jumped)

      const verdict = await path.verdict()
      const more = { 'redelivery, ms': redelivery }
      report({ name: `F11 dead worker, ${name}`, ledger, documents: sink.documents, verdict, more })
      expect(verdict).toEqual(KEPT)
      expect(redelivery).toBeLessThan(3 * WORKER_TIMEOUT)
    },
  )
})

/** Jumps, each round from where the last one ended. */
async function jumpAround(
  clock: Clock,
  jumps: readonly number[],
  goesOn: () => Promise<void>,
): Promise<void> {
  await goesOn()
  for (let round = 0; round < ROUNDS; round++) {
    for (const seconds of jumps) {
      clock.jump(round * (jumps.at(-1) ?? 0) + seconds)
      await goesOn()
    }
  }
}

/** Resolves when the sink has got more than it had. */
async function delivered({ sink }: Pick<Awaited<ReturnType<typeof startDiskPath>>, 'sink'>): Promise<void> {
  const goal = sink.documents.size + ENOUGH
  await eventually('records are delivered', async () => sink.documents.size >= goal, SOON)
}
