import { describe, expect, it } from 'vitest'
import { stopwatch } from './kit/figures.ts'
import {
  ENDLESS,
  GARBAGE,
  mixed,
  ODD,
  RESETS,
  SLOW,
  throttled,
  tooLarge,
  UNHEARD,
} from './kit/hostile-moves.ts'
import { honest, type Move, startHostileSink } from './kit/hostile-sink.ts'
import { RSS_LIMIT, watchMemory } from './kit/memory.ts'
import { startRedisPath } from './kit/path.ts'
import { generator } from './kit/random.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { expectLetters, expectSettledOnce, settle } from './kit/settlement.ts'

const SEEDS = Array.from({ length: scaled(1, 20) }, (_, i) => i + 1)
const SECONDS = scaled(15, 60)
/** Bytes of a request that are too many for one of the moves. */
const LIMIT = 30_000

describe('F10: an Elasticsearch that misbehaves by chance', { timeout: timeLimit(180, 600) }, () => {
  it.for(SEEDS)('settles each record exactly once, with seed %d', async (seed, { task }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, drains: 2, exporter: { timeout: '2s' } })
    using memory = watchMemory(() => path.drains.map(({ pid }) => pid))
    const refuses = (seq: number): boolean => seq % 97 === 13
    sink.refuses = refuses
    sink.move = anyOf(generator(seed))
    await using load = path.load({ clients: 2 })

    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
    sink.move = honest
    await load.progress(500)
    await load.finish()

    const settlement = await settle(path)
    const more = {
      requests: sink.seen.length,
      letters: settlement.letters.size,
      'highest RSS, MiB': Math.round(memory.highest / 2 ** 20),
    }
    report({
      name: `F10 mixture, seed ${seed}`,
      ...path,
      documents: sink.documents,
      verdict: settlement.verdict,
      more,
    })
    expectSettledOnce(settlement)
    expectLetters(path, settlement.letters, refuses)
    expect(memory.highest).toBeLessThan(RSS_LIMIT)
  })
})

/** Does something else with every request. */
function anyOf(random: () => number): Move {
  const often: readonly Move[] = [honest, honest, honest, mixed(random), mixed(random), tooLarge(LIMIT)]
  const tables = [throttled(), GARBAGE, UNHEARD, RESETS, ODD, SLOW, ENDLESS]
  const seldom = tables.flatMap((table) => Object.values(table))
  return (exchange) => {
    const moves = random() < 0.6 ? often : seldom
    return moves[Math.floor(random() * moves.length)](exchange)
  }
}
