import { describe, expect, it } from 'vitest'
import { stopwatch } from './kit/figures.ts'
import { freeze } from './kit/freezer.ts'
import { DRAIN_RSS_LIMIT, RSS_LIMIT, watchMemory } from './kit/memory.ts'
import { KEPT } from './kit/oracle.ts'
import { conservation, type RedisPath, startRedisPath, WORKER_TIMEOUT } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { type SinkProcess, startSinkProcess } from './kit/sink-process.ts'

const ROUNDS = scaled(1, 5)
/** Longer than a worker may be silent: milliseconds. */
const FROZEN = scaled(WORKER_TIMEOUT + 2_000, 45_000)
const TIMEOUTS = scaled({}, { worker_timeout: '30s', heartbeat: '5s' })

type Frozen = RedisPath<SinkProcess>

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)

describe('F6: a peer that is frozen for longer than a worker may be silent', {
  timeout: timeLimit(300, 1800),
}, () => {
  it.for<[string, (path: Frozen) => number]>([
    ['Redis', ({ redis }) => redis.pid],
    ['the sink', ({ sink }) => sink.pid],
    ['a worker', ({ drains }) => drains[0].pid],
  ])(
    '%s: memory stays bounded, nothing is lost or doubled, and all goes on',
    async ([name, pidOf], { task }) => {
      const report = stopwatch(task)
      await using sink = await startSinkProcess()
      await using path = await startRedisPath({ sink, drains: 2, connector: TIMEOUTS })
      using gateway = watchMemory(() => [path.gateway.pid])
      using drains = watchMemory(() => path.drains.map(({ pid }) => pid))
      await using load = path.load()

      for (let round = 0; round < ROUNDS; round++) {
        await load.progress(500)
        await freeze(pidOf(path), FROZEN)
        await load.progress(500)
      }
      await load.finish()

      const verdict = await path.verdict()
      const more = { 'gateway, MiB': mib(gateway.highest), 'drains, MiB': mib(drains.highest) }
      report({ name: `F6 ${name}`, ...path, documents: sink.documents, verdict, more })
      expect(verdict).toEqual(KEPT)
      expect(gateway.highest).toBeLessThan(RSS_LIMIT)
      expect(drains.highest).toBeLessThan(DRAIN_RSS_LIMIT)
      const { received, settled } = await conservation(path)
      // A push that waited in front of a frozen Redis is carried out when nobody waits for its answer any more.
      if (name === 'Redis') expect(settled).toBeGreaterThanOrEqual(received)
      else expect(settled).toBe(received)
    },
  )
})
