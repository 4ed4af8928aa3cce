import { describe, expect, it, vi } from 'vitest'
import { Load } from '../../../bench/simulation/load.ts'
import { parameters } from '../../../bench/simulation/parameters.ts'
import { planFor } from '../../../bench/simulation/plan.ts'
import { outageOf, type Scenario, scenarios } from '../../../bench/simulation/scenarios.ts'
import { type Run, simulate } from '../../../bench/simulation/simulate.ts'
import { System } from '../../../bench/simulation/system.ts'
import { type Topology, topologyOf } from '../../../bench/simulation/topology.ts'

/** Small enough for a test: 30 senders, 3 cells, and 3 nodes that are as much too fast as planned ones. */
const RATE = 6_000
const planned = topologyOf(planFor(RATE))
const nodeRate = ((RATE / 1000) * parameters.deliveryHeadroom.value) / 3
const topology: Topology = { ...planned, elasticsearch: { ...planned.elasticsearch, nodes: 3, nodeRate } }
const listed = { ...topology, elasticsearch: { ...topology.elasticsearch, balanced: false } }
const impatient = withSdk({ retryBudget: 10_000 })
const MINUTE = 60_000

function withSdk(change: object): Topology {
  const { senders } = topology
  if (senders.kind !== 'sdk') throw new Error('not the senders expected')
  return { ...topology, senders: { ...senders, settings: { ...senders.settings, ...change } } }
}

/** Redis with room for so many minutes of backlog below the high watermark. */
function withRoom(minutes: number): Topology {
  const { shard, redis, rate, cells } = topology
  const records = (rate / cells) * minutes * MINUTE
  const maxMemory = (shard.emptyMemory + records * shard.memoryPerRecord) / redis.memory_high_watermark
  return { ...topology, shard: { ...shard, maxMemory } }
}

const peak = ({ samples }: Run): number => Math.max(...samples.map(({ backlog }) => backlog))

// Simulations are quick, but not on a machine that others use.
vi.setConfig({ testTimeout: 60_000 })

describe('a simulated system', () => {
  const runs: [string, Topology, Scenario][] = [
    ['steady', topology, scenarios.steady(topology)],
    ['spike', topology, scenarios.spike(topology)],
    ['zone', topology, scenarios.zone(topology)],
    ['restart', topology, scenarios.restart(topology)],
    ['outage', topology, outageOf(8)],
    ['zone, listed nodes', listed, scenarios.zone(listed)],
    ['zone, impatient senders', impatient, scenarios.zone(impatient)],
    ['restart, listed nodes', listed, scenarios.restart(listed)],
    [
      'outage, Redis too small, impatient senders',
      { ...withRoom(3), senders: impatient.senders },
      outageOf(6),
    ],
    ['outage, Redis too small', withRoom(3), outageOf(6)],
  ]

  it.each(runs)('knows where every record is: %s', (_name, of, { load, play, endsMs }) => {
    const system = new System(of, load, 1)
    play(system)
    for (let ms = 20_000; ms < endsMs + 3 * MINUTE; ms += 19_001) {
      system.clock.runUntil(ms)

      const { issued, delivered, buffered, queued, lost } = system.account()

      expect(delivered + buffered + queued + lost).toBe(issued)
      expect(issued).toBeGreaterThan(0)
    }
  })

  it('gives the same run for the same seed, and another for another', () => {
    const run = (seed: number): Run => simulate(topology, scenarios.zone(topology), { seed })

    const first = run(1)

    expect(run(1).samples).toEqual(first.samples)
    expect(run(2).samples).not.toEqual(first.samples)
  })

  it("keeps Little's law from the senders to Elasticsearch", () => {
    const system = new System(topology, new Load(), 1)
    system.clock.runUntil(MINUTE)
    const before = { delivered: system.ledger.delivered, travelMs: system.ledger.travelMs }
    let onTheWay = 0
    let samples = 0
    for (let ms = MINUTE; ms < 6 * MINUTE; ms += 23) {
      system.clock.runUntil(ms)
      const { buffered, queued } = system.account()
      onTheWay += buffered + queued - system.queued
      samples++
    }

    const delivered = system.ledger.delivered - before.delivered
    const meanTravel = (system.ledger.travelMs - before.travelMs) / delivered
    const rate = delivered / (5 * MINUTE)
    expect(onTheWay / samples / (rate * meanTravel)).toBeCloseTo(1, 1)
  })

  it('never has a longer backlog with more drains', () => {
    const slow = { ...topology, drain: { ...topology.drain, perRecord: 0.8 } }
    const areas = [1, 2, 4].map((drainsPerCell) => {
      const { samples } = simulate(
        { ...slow, drainsPerCell },
        { ...scenarios.spike(topology), untilMs: 12 * MINUTE },
      )
      return samples.reduce((sum, { backlog }) => sum + backlog, 0)
    })

    expect(areas).toEqual(areas.toSorted((a, b) => b - a))
    expect(areas[0]).toBeGreaterThan(areas[2] * 1.2)
  })

  it('is simulated by a share: twice the cells hold twice the backlog, as late', () => {
    const { elasticsearch, rate, cells } = topology
    const half = { ...topology, elasticsearch: { ...elasticsearch, nodes: 6, share: 0.5 } }
    const whole = { ...half, cells: cells * 2, rate: rate * 2, elasticsearch: { ...elasticsearch, nodes: 6 } }

    const [small, large] = [half, whole].map((each) =>
      simulate(each, { ...scenarios.spike(each), untilMs: 12 * MINUTE }),
    )

    expect(peak(large) / (2 * peak(small))).toBeCloseTo(1, 1)
    expect(large.p99 / small.p99).toBeCloseTo(1, 1)
  })
})

describe('the rules of the code, in the simulation', () => {
  it('loses nothing in an outage that Redis has room for', () => {
    const run = simulate(withRoom(7), outageOf(6))

    expect(run.account.lost).toBe(0)
    expect(run.account.delivered).toBeGreaterThan(RATE * 6 * 60)
    expect(peak(run)).toBeGreaterThan(RATE * 6 * 60 * 0.98)
  })

  it('refuses at the high watermark, goes on below the low one, and loses in the queues of senders alone', () => {
    const run = simulate(withRoom(3), outageOf(6))

    const first = run.samples.findIndex(({ refused }) => refused > 0)
    const last = run.samples.findLastIndex(
      ({ refused }, place) => refused > (run.samples[place - 1]?.refused ?? 0),
    )
    expect(run.samples[first].memory).toBeGreaterThan(0.84)
    expect(Math.max(...run.samples.map(({ memory }) => memory))).toBeLessThan(0.9)
    expect(run.samples[last].memory).toBeGreaterThan(0.7)
    // Who was refused comes back when there should be room: some are not heard again above the low mark.
    expect(run.samples[last].memory).toBeLessThan(0.85)
    expect(run.refused.watermark).toBeGreaterThan(0)
    expect(run.lost.queue_full).toBeGreaterThan(0)
    expect({ ...run.lost, queue_full: 0 }).toEqual({ queue_full: 0, gave_up: 0, failover: 0 })
  })

  it('loses in senders that give up what patient ones keep', () => {
    const small = withRoom(3)

    const patient = simulate(withSdkOf(small, { maxQueueSize: 1e6 }), outageOf(4))
    const giving = simulate(withSdkOf(small, { maxQueueSize: 1e6, retryBudget: 10_000 }), outageOf(4))

    expect(patient.account.lost).toBe(0)
    expect(giving.lost.gave_up).toBeGreaterThan(0)
    expect(giving.lost.queue_full).toBe(0)
  })

  it.each([0, 500, 2_000])(
    'loses in a failover what the replica had not received: with a lag of %s ms',
    (replicationLag) => {
      const late = { ...withSdk({ maxQueueSize: 1e6 }), shard: { ...topology.shard, replicationLag } }
      const { clock, cells, elasticsearch, ledger } = new System(late, new Load(), 1)
      const [{ shard }] = cells
      // What drains have taken arrives all the same: let them be stuck.
      clock.after(MINUTE, () => elasticsearch.outage(true))
      clock.after(2 * MINUTE, () => shard.fail())
      clock.after(2.25 * MINUTE, () => shard.promote())

      clock.runUntil(3 * MINUTE)

      const expected = (RATE / cells.length) * (replicationLag / 1000)
      expect(ledger.lost.failover).toBeGreaterThanOrEqual(expected * 0.6)
      expect(ledger.lost.failover).toBeLessThanOrEqual(expected * 1.4)
      expect(ledger.lost.queue_full + ledger.lost.gave_up).toBe(0)
    },
  )

  it('delivers what dead drains held once they have been silent for the worker timeout', () => {
    const { max } = simulate(withSdk({ maxQueueSize: 1e6 }), scenarios.zone(topology))

    expect(max).toBeGreaterThan(30_000)
    expect(max).toBeLessThan(60_000)
  })

  it('delivers within a few seconds when nothing is wrong, most of them spent in the SDK', () => {
    const { p50, p99, recoveryMs } = simulate(topology, scenarios.steady(topology))

    expect(p50).toBeGreaterThan(1_000)
    expect(p99).toBeLessThan(4_000)
    expect(recoveryMs).toBe(0)
  })
})

function withSdkOf(of: Topology, change: object): Topology {
  return { ...of, senders: withSdk(change).senders }
}
