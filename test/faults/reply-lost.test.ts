import { describe, expect, it } from 'vitest'
import { type Proxy, startProxy } from '../connectors/redis/proxy.ts'
import { eventually } from '../e2e/sluice.ts'
import { startRedis } from '../servers/redis.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { COMMAND_TIMEOUT, conservation, startRedisPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'

const ROUNDS = scaled(15, 300)
/** What the first bytes of every element are: only pushes hold them on their way to Redis. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** Answers that follow a command at once, on a machine that has other things to do. */
const MARGIN = 3_000

describe('F5: a Redis that does what it is told, and whose answers are lost', {
  timeout: timeLimit(300, 1200),
}, () => {
  it('leaves no document twice, nothing lost, and nobody waiting', async ({ task }) => {
    const report = stopwatch(task)
    await using redis = await startRedis()
    await using forGateway = await startProxy(redis.port)
    await using forDrain = await startProxy(redis.port)
    const redisUrl = { gateway: forGateway.url, drain: forDrain.url }
    await using path = await startRedisPath({ redis, redisUrl })
    await using load = path.load()

    for (let round = 0; round < ROUNDS; round++) {
      await load.progress(100)
      await loseOne(forGateway, ZSTD)
      // Takes, settlements and signs of life alike: whatever comes next.
      if (round % 3 === 0) await loseOne(forDrain, 'EVALSHA')
    }
    await load.progress(100)
    await load.finish()

    const verdict = await path.verdict()
    const more = {
      'answers lost': forGateway.lost + forDrain.lost,
      'longest attempt, ms': Math.round(load.longestAttempt),
    }
    report({ name: 'F5 reply lost', ...path, documents: path.sink.documents, verdict, more })
    expect(verdict).toEqual(KEPT)
    expect(forGateway.lost).toBe(ROUNDS)
    expect(path.sink.documents.repeated).toBeGreaterThan(0)
    expect(load.longestAttempt).toBeLessThan(COMMAND_TIMEOUT + MARGIN)
    const { received } = await conservation(path)
    // What was pushed and not answered is in the buffer without having been received: the sender was told so.
    expect(received).toBe(path.ledger.acknowledged)
  })
})

async function loseOne(proxy: Proxy, text: string | Buffer): Promise<void> {
  const before = proxy.lost
  proxy.loseAnswerTo(text)
  await eventually('an answer is lost', async () => proxy.lost > before)
}
