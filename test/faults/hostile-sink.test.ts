import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import {
  ENDLESS,
  failureStore,
  GARBAGE,
  mixed,
  ODD,
  RESETS,
  SLOW,
  spoiled,
  throttled,
  tooLarge,
  UNHEARD,
} from './kit/hostile-moves.ts'
import { type HostileSink, honest, type Move, startHostileSink } from './kit/hostile-sink.ts'
import { RSS_LIMIT, watchMemory } from './kit/memory.ts'
import { type RedisPath, startRedisPath } from './kit/path.ts'
import { textOf } from './kit/payload.ts'
import { generator } from './kit/random.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { expectLetters, expectSettledOnce, settle } from './kit/settlement.ts'

const ROUNDS = scaled(2, 20)
const EXPORTER = { timeout: '2s' }
/** Bytes of a request, in the case of requests that are too large. */
const LIMIT = 20_000
const LARGE = 40_000

type HostilePath = RedisPath<HostileSink>

describe('F10: an Elasticsearch that misbehaves', { timeout: timeLimit(180, 1800) }, () => {
  it.concurrent.for<[string, Readonly<Record<string, Move>>]>([
    ['has no room', throttled()],
    ['says something else of each document', { mixed: mixed(generator(1)) }],
    ['puts some into its failure store', { failureStore }],
    ['stores and does not say so', UNHEARD],
    ['answers 200 with something else', GARBAGE],
    ['answers without end', ENDLESS],
    ['answers too late', SLOW],
    ['cuts connections', RESETS],
    ['answers as others do', ODD],
  ])('%s: all is delivered once, and nothing is a dead letter', async ([name, moves], { task }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, exporter: EXPORTER })
    using memory = watchMemory(() => path.drains.map(({ pid }) => pid))
    await using load = path.load({ clients: 2 })

    await strike(path, Object.values(moves))
    await load.progress(100)
    await load.finish()

    const settlement = await settle(path)
    const more = { requests: sink.seen.length, 'highest RSS, MiB': Math.round(memory.highest / 2 ** 20) }
    report({ name: `F10 ${name}`, ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    expect(settlement.letters.size).toBe(0)
    expect(memory.highest).toBeLessThan(RSS_LIMIT)
  })

  it('refuses requests above a size: exactly the records too large alone are dead letters', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, exporter: EXPORTER })
    const { ledger } = path
    sink.move = tooLarge(LIMIT)
    await using load = path.load({ clients: 2 })
    await using large = path.load({ clients: 1, records: 3, bodyLength: LARGE, pause: 100 })

    await Promise.all([load.progress(scaled(500, 20_000)), large.progress(scaled(12, 300))])
    await Promise.all([load.finish(), large.finish()])

    const settlement = await settle(path)
    const more = { requests: sink.seen.length, letters: settlement.letters.size }
    report({ name: 'F10 too large', ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    expectLetters(path, settlement.letters, (seq) => textOf(seq, LARGE).hash === ledger.hashOf(seq))
  })

  it('refuses records for good: exactly these are dead letters, and their neighbours are delivered', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, exporter: EXPORTER })
    const refuses = (seq: number): boolean => seq % 10 === 7
    const spoils = (seq: number): boolean => seq % 101 === 0
    sink.refuses = (seq) => refuses(seq) || spoils(seq)
    await using load = path.load({ clients: 2 })

    await strike(path, [mixed(generator(2)), spoiled(spoils)], spoiled(spoils))
    await load.progress(scaled(500, 20_000))
    await load.finish()

    const settlement = await settle(path)
    const more = { requests: sink.seen.length, letters: settlement.letters.size }
    report({ name: 'F10 refused', ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    expectLetters(path, settlement.letters, (seq) => refuses(seq) || spoils(seq))
  })
})

/** Lets the sink do each of `moves` in turn, and something better after each, until each was done often enough. */
async function strike({ sink }: HostilePath, moves: readonly Move[], otherwise = honest): Promise<void> {
  let done = 0
  sink.move = (exchange) => {
    const turn = done++
    return turn % 2 === 0 ? moves[(turn / 2) % moves.length](exchange) : otherwise(exchange)
  }
  const all = 2 * ROUNDS * moves.length
  await eventually('the sink has misbehaved in every way', async () => done >= all, timeLimit(120, 1200))
  sink.move = otherwise
}
