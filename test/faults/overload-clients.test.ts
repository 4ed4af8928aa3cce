import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startCrowd } from './kit/crowd.ts'
import { stopwatch } from './kit/figures.ts'
import { RSS_LIMIT, watchMemory } from './kit/memory.ts'
import { KEPT } from './kit/oracle.ts'
import { conservation, type RedisPath, startRedisPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { startSink } from './kit/sink.ts'

const CLIENTS = 1_000
const SECONDS = scaled(10, 60)
/** Records a second that the sink takes, and how many times that is sent. */
const DELIVERED = 1_000
const OVERLOAD = 10
const RECORDS = 20
/** What the buffer takes before it refuses: a few seconds' worth. */
const BUFFER = { max_bytes: '2MB' }
/** Room for a few hundred requests and the copies that the buffer makes of them. */
const LIMITS = { max_in_flight_bytes: '24MiB' }
/** Refusals that tell a client that and when to come back. */
const CLEAN = ['UNAVAILABLE with RetryInfo', '503 with Retry-After']
const REJECTED = 'sluice_receiver_rejected_requests_total'

describe('F13: more than there is room for', { timeout: timeLimit(240, 600) }, () => {
  it(`from ${CLIENTS} connections at once, ten times what is delivered, for ${SECONDS} s`, async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using sink = await startSink()
    await using path = await startRedisPath({ sink, connector: BUFFER })
    const { ledger, gateway } = path
    using memory = watchMemory(() => [gateway.pid])
    let busyUntil = performance.now()
    sink.afterCommit = async ({ arrivals }) => {
      busyUntil = Math.max(busyUntil, performance.now()) + (arrivals.length * 1000) / DELIVERED
      await delay(Math.max(0, busyUntil - performance.now()))
      return undefined
    }
    const interval = (CLIENTS * RECORDS * 1000) / (DELIVERED * OVERLOAD)
    await using crowd = await startCrowd({ ...path, clients: CLIENTS, records: RECORDS, interval })
    const connections = (await gateway.metrics()).sum('sluice_receiver_connections')

    await delay(SECONDS * 1000)
    await crowd.finish()
    sink.afterCommit = undefined

    const verdict = await path.verdict()
    const more = figuresOf(path, memory.highest)
    report({ name: 'F13 overload', ...path, documents: sink.documents, verdict, more })
    expect(connections).toBe(CLIENTS)
    expect(ledger.refused).toBeGreaterThan(0)
    expectClean(path)
    expect(verdict).toEqual(KEPT)
    expect(memory.highest).toBeLessThan(RSS_LIMIT)
    const { received, accounted } = await conservation(path)
    expect(accounted).toBe(received)
  })

  it('in memory, while the buffer does not answer: the others are refused, and nothing is lost', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using sink = await startSink()
    await using path = await startRedisPath({ sink, connector: { command_timeout: '30s' }, limits: LIMITS })
    const { ledger, gateway, redis } = path
    using memory = watchMemory(() => [gateway.pid])
    redis.pause()
    // Of 40 KB each: together more than may be in flight.
    const requests = { clients: CLIENTS, records: 25, bodyLength: 1_500, interval: 60_000 }
    await using crowd = await startCrowd({ ...path, ...requests })
    try {
      const metrics = gateway.metrics.bind(gateway)
      await expect
        .poll(async () => (await metrics()).sum(REJECTED, { reason: 'memory' }), { timeout: 60_000 })
        .toBeGreaterThan(0)
      const held = await metrics()
      expect(held.sum('sluice_receiver_in_flight_bytes')).toBeLessThanOrEqual(
        held.sum('sluice_receiver_in_flight_limit_bytes'),
      )
    } finally {
      redis.resume()
    }
    await crowd.finish()

    const verdict = await path.verdict()
    const more = figuresOf(path, memory.highest)
    report({ name: 'F13 memory', ...path, documents: sink.documents, verdict, more })
    expect(ledger.acknowledged).toBeGreaterThan(0)
    expectClean(path)
    expect(verdict).toEqual(KEPT)
    expect(memory.highest).toBeLessThan(RSS_LIMIT)
    expect((await gateway.metrics()).sum('sluice_receiver_in_flight_bytes')).toBe(0)
  })
})

type Path = Pick<RedisPath<Awaited<ReturnType<typeof startSink>>>, 'ledger'>

function expectClean({ ledger }: Path): void {
  expect([...ledger.refusals.keys()].filter((answer) => !CLEAN.includes(answer))).toEqual([])
}

function figuresOf({ ledger }: Path, highest: number): Record<string, number> {
  return { ...Object.fromEntries(ledger.refusals), 'highest gateway RSS, MiB': Math.round(highest / 2 ** 20) }
}
