import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import { refuse, refuseItems } from './kit/hostile-moves.ts'
import { type Exchange, type HostileSink, honest, type Move, startHostileSink } from './kit/hostile-sink.ts'
import { RSS_LIMIT, watchMemory } from './kit/memory.ts'
import { type RedisPath, startRedisPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { expectSettledOnce, settle } from './kit/settlement.ts'

/** How long the sink is in trouble: seconds. */
const SECONDS = scaled(4, 60)
const ROUNDS = scaled(6, 30)
const DRAINS = 2
const CONSUMERS = 4
const INITIAL = 0.1
const MAX = 1
const RETRY_AFTER = 2
const EXPORTER = {
  timeout: '5s',
  retry_on_failure: { initial_interval: `${INITIAL}s`, max_interval: `${MAX}s` },
  sending_queue: { num_consumers: CONSUMERS },
}

/** Retries of one that waits: until the wait is as long as it gets, and after, where half of it is left to chance. */
const RETRIES = Math.ceil(Math.log2(MAX / INITIAL)) + SECONDS / (MAX / 2)
/** Requests of a drain that are under way when the trouble begins, and those of the one that probes. */
const OF_A_PROBE = CONSUMERS + RETRIES + 1
/** Where documents are refused and not requests, each batch waits on its own. */
const OF_BATCHES = CONSUMERS * (1 + RETRIES)
const OF_ASKED = CONSUMERS + SECONDS / RETRY_AFTER + 1

type HostilePath = RedisPath<HostileSink>

describe('F10: an Elasticsearch in trouble', { timeout: timeLimit(180, 1800) }, () => {
  it('is not stormed by retries, neither meanwhile nor when it is well again', async ({ task }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, drains: DRAINS, exporter: EXPORTER })
    using memory = watchMemory(() => path.drains.map(({ pid }) => pid))
    await using load = path.load({ clients: 2 })
    const counts: Record<string, string> = {}

    for (const [name, move, bound] of [
      ['503', refuse(503), OF_A_PROBE],
      ['reset', (exchange: Exchange) => exchange.cut(), OF_A_PROBE],
      ['401', refuse(401), OF_A_PROBE],
      ['503, Retry-After', refuse(503, { 'retry-after': String(RETRY_AFTER) }), OF_ASKED],
      ['429', refuse(429), OF_BATCHES],
      ['429 of documents', refuseItems(429), OF_BATCHES],
    ] satisfies [string, Move, number][]) {
      const seen = await trouble(path, move)
      for (let drain = 0; drain < DRAINS; drain++) {
        const requests = seen.filter((request) => request.drain === drain)
        const bytes = requests.reduce((sum, request) => sum + request.bytes, 0)
        const largest = Math.max(...sink.seen.map((request) => request.bytes))
        expect(requests.length, `requests after ${name}`).toBeLessThanOrEqual(bound)
        expect(requests.length, `requests after ${name}`).toBeGreaterThan(1)
        expect(bytes, `bytes after ${name}`).toBeLessThanOrEqual(bound * largest)
      }
      counts[name] = `${seen.length} of ${DRAINS * bound}`
    }
    await load.finish()

    const settlement = await settle(path)
    const more = { ...counts, 'highest RSS, MiB': Math.round(memory.highest / 2 ** 20) }
    report({ name: 'F10 storms', ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    expect(sink.highestConcurrency).toBeLessThanOrEqual(CONSUMERS)
    expect(memory.highest).toBeLessThan(RSS_LIMIT)
  })

  it('sees two drains come back at different moments, when it asked both for the same', async ({ task }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, drains: DRAINS, exporter: EXPORTER })
    await using load = path.load({ clients: 2 })
    const { move, returns } = together()

    // From then on each of them only probes.
    sink.move = refuse(503)
    await eventually('both know of the trouble', async () => sink.seen.length > 2 * DRAINS * CONSUMERS)
    sink.move = move
    await eventually('both have come back often enough', async () => returns.length >= ROUNDS)
    sink.move = honest
    await load.finish()

    const settlement = await settle(path)
    const gaps = returns.map(([a, b]) => Math.round(Math.abs(a - b)))
    const more = { 'ms between two returns': gaps.join(' ') }
    report({ name: 'F10 jitter', ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    // As timers go by, which may be a little early.
    expect(Math.min(...returns.flat())).toBeGreaterThan(RETRY_AFTER * 1000 - 5)
    expect(Math.max(...gaps)).toBeGreaterThan(30)
  })
})

/** Lets every request end in one way for some seconds, and waits then until the backlog goes down; what was seen meanwhile. */
async function trouble({ sink }: HostilePath, move: Move): Promise<HostileSink['seen']> {
  const { documents } = sink
  const before = sink.seen.length
  sink.move = move
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  const seen = sink.seen.slice(before)
  const delivered = documents.size
  sink.move = honest
  for (let drain = 0; drain < DRAINS; drain++) {
    const end = sink.seen.length
    const isBack = async (): Promise<boolean> =>
      sink.seen.slice(end).some((request) => request.drain === drain)
    await eventually(`drain ${drain} comes back`, isBack)
  }
  await eventually('delivery goes on', async () => documents.size > delivered)
  return seen
}

/** Answers the drains at the same moment, and notes after how many milliseconds each of them came back. */
function together(): { readonly move: Move; readonly returns: number[][] } {
  const returns: number[][] = []
  let waiting = new Map<number, { readonly exchange: Exchange; readonly at: number }>()
  let answeredAt: number | undefined
  const move: Move = async (exchange) => {
    const at = performance.now()
    await exchange.arrivals()
    waiting.set(exchange.drain, { exchange, at })
    if (waiting.size < DRAINS) return
    const all = [...waiting.values()]
    waiting = new Map()
    const since = answeredAt
    if (since !== undefined) returns.push(all.map((one) => one.at - since))
    answeredAt = performance.now()
    for (const one of all) one.exchange.respond(503, '', { 'retry-after': String(RETRY_AFTER) })
  }
  return { move, returns }
}
