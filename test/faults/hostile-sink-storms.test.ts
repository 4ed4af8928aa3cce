import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import { refuse } from './kit/hostile-moves.ts'
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

/** How much too early a timer may be: milliseconds. */
const EARLY = 5

/** Retries of one that waits: until the wait is as long as it gets, and after, where half of it is left to chance. */
const retries = (seconds: number): number => Math.ceil(Math.log2(MAX / INITIAL)) + seconds / (MAX / 2)
/** Requests of a drain that are under way when the trouble begins, and those of the one that probes. */
const ofAProbe = (seconds: number): number => CONSUMERS + retries(seconds) + 1
/** Where documents are refused and not requests, each batch waits on its own. */
const ofBatches = (seconds: number): number => CONSUMERS * (1 + retries(seconds))
const ofAsked = (seconds: number): number => CONSUMERS + seconds / RETRY_AFTER + 1

type HostilePath = RedisPath<HostileSink>

describe('F10: an Elasticsearch in trouble', { timeout: timeLimit(180, 1800) }, () => {
  it('is not stormed by retries, neither meanwhile nor when it is well again', async ({ task }) => {
    const report = stopwatch(task)
    await using sink = await startHostileSink()
    await using path = await startRedisPath({ sink, drains: DRAINS, exporter: EXPORTER })
    using memory = watchMemory(() => path.drains.map(({ pid }) => pid))
    await using load = path.load({ clients: 2 })
    const counts: Record<string, string> = {}
    const documents = refusingDocuments()

    for (const [name, move, boundOf] of [
      ['503', refuse(503), ofAProbe],
      ['reset', (exchange: Exchange) => exchange.cut(), ofAProbe],
      ['401', refuse(401), ofAProbe],
      ['503, Retry-After', refuse(503, { 'retry-after': String(RETRY_AFTER) }), ofAsked],
      ['429', refuse(429), ofBatches],
      ['429 of documents', documents.move, ofBatches],
    ] satisfies [string, Move, (seconds: number) => number][]) {
      const { seen, seconds } = await trouble(path, move)
      const bound = boundOf(seconds)
      for (let drain = 0; drain < DRAINS; drain++) {
        const requests = seen.filter((request) => request.drain === drain)
        const bytes = requests.reduce((sum, request) => sum + request.bytes, 0)
        const largest = Math.max(...sink.seen.map((request) => request.bytes))
        expect(requests.length, `requests after ${name}`).toBeLessThanOrEqual(bound)
        expect(requests.length, `requests after ${name}`).toBeGreaterThan(1)
        expect(bytes, `bytes after ${name}`).toBeLessThanOrEqual(bound * largest)
      }
      counts[name] = `${seen.length} of ${Math.round(DRAINS * bound)}`
    }
    await load.finish()

    const settlement = await settle(path)
    const more = { ...counts, 'highest RSS, MiB': Math.round(memory.highest / 2 ** 20) }
    report({ name: 'F10 storms', ...path, documents: sink.documents, verdict: settlement.verdict, more })
    expectSettledOnce(settlement)
    expect(documents.waits.length).toBeGreaterThan(1)
    for (const { wait, retry } of documents.waits) {
      expect(wait).toBeGreaterThan(Math.min(MAX, INITIAL * 2 ** retry) * 500 - EARLY)
    }
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
    expect(Math.min(...returns.flat())).toBeGreaterThan(RETRY_AFTER * 1000 - EARLY)
    expect(Math.max(...gaps)).toBeGreaterThan(30)
  })
})

interface Trouble {
  readonly seen: HostileSink['seen']
  readonly seconds: number
}

/** Lets every request end in one way, for some seconds after both drains know it, until the backlog goes down again. */
async function trouble({ sink }: HostilePath, move: Move): Promise<Trouble> {
  const { documents } = sink
  const before = sink.seen.length
  const started = performance.now()
  sink.move = move
  await bothAsk(sink)
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  const seen = sink.seen.slice(before)
  const seconds = (performance.now() - started) / 1000
  const delivered = documents.size
  sink.move = honest
  await bothAsk(sink)
  await eventually('delivery goes on', async () => documents.size > delivered)
  return { seen, seconds }
}

async function bothAsk({ seen }: HostileSink): Promise<void> {
  const from = seen.length
  const asked = (): number => new Set(seen.slice(from).map(({ drain }) => drain)).size
  await eventually('both drains ask', async () => asked() === DRAINS)
}

/** Refuses all documents, and notes after how many milliseconds each batch comes back for the first time, the second time, … */
function refusingDocuments(): {
  readonly move: Move
  readonly waits: { readonly wait: number; readonly retry: number }[]
} {
  const waits: { readonly wait: number; readonly retry: number }[] = []
  const batches = new Map<string, { readonly answeredAt: number; readonly retry: number }>()
  const move: Move = async (exchange) => {
    const at = performance.now()
    const arrivals = await exchange.arrivals()
    const { id } = arrivals[0]
    const before = batches.get(id)
    if (before) waits.push({ wait: at - before.answeredAt, retry: before.retry })
    batches.set(id, { answeredAt: performance.now(), retry: (before?.retry ?? -1) + 1 })
    exchange.answer(arrivals.map(() => 429))
  }
  return { move, waits }
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
