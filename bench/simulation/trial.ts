import { Load } from './load.ts'
import { parameters as p } from './parameters.ts'
import { planFor } from './plan.ts'
import type { Observation } from './real-run.ts'
import { simulate } from './simulate.ts'
import { deliveryRules, type Topology, topologyOf } from './topology.ts'

/** A run that is small enough to be real. */
export interface Trial {
  readonly name: string
  /** Records per second before the factor of the load, and those the sink takes. */
  readonly rate: number
  readonly sinkRate: number
  readonly recordsPerRequest: number
  readonly steps: readonly (readonly [fromMs: number, factor: number])[]
  /** When the sink takes nothing. */
  readonly outage: { readonly fromMs: number; readonly toMs: number }
  readonly seconds: number
  /** maxmemory of Redis, bytes. */
  readonly maxMemory: number
  /** `retry_on_failure.max_interval`, milliseconds: short, or chance alone would decide when draining goes on. */
  readonly maxInterval: number
  /** Stretches of the run that have a backlog each. */
  readonly phases: readonly { readonly name: string; readonly fromMs: number; readonly toMs: number }[]
}

/** What Redis was found to take, in bytes: with nothing in its lists, and for each record. */
export interface RedisMemory {
  readonly emptyMemory: number
  readonly memoryPerRecord: number
}

const COMMON = { recordsPerRequest: 50, maxInterval: 2_000 }

export const trials: readonly Trial[] = [
  // A spike that the sink cannot keep up with, then an outage of the sink.
  {
    ...COMMON,
    name: 'spike and outage',
    rate: 1000,
    sinkRate: 2500,
    steps: [
      [8_000, p.spikeFactor.value],
      [23_000, 1],
    ],
    outage: { fromMs: 54_000, toMs: 64_000 },
    seconds: 82,
    maxMemory: 1024 ** 3,
    phases: [
      { name: 'spike', fromMs: 8_000, toMs: 54_000 },
      { name: 'outage', fromMs: 54_000, toMs: 82_000 },
    ],
  },
  // An outage that is too long for a small Redis: it refuses, and takes again.
  {
    ...COMMON,
    name: 'full Redis',
    rate: 1000,
    sinkRate: 2500,
    steps: [],
    outage: { fromMs: 6_000, toMs: 36_000 },
    seconds: 64,
    maxMemory: 7 * 1024 ** 2,
    phases: [{ name: 'full Redis', fromMs: 6_000, toMs: 64_000 }],
  },
]

const SAMPLE_MS = 250

/** One gateway, one drain and a sink that takes one bulk at a time. */
function trialTopology(trial: Trial, memory: RedisMemory): Topology {
  const { rate, sinkRate, recordsPerRequest, maxInterval, maxMemory } = trial
  const usual = topologyOf(planFor(rate))
  const delivery = deliveryRules({ retry_on_failure: { max_interval: `${maxInterval}ms` } })
  return {
    ...usual,
    cells: 1,
    zones: 1,
    gatewaysPerCell: 1,
    drainsPerCell: 1,
    rate: rate / 1000,
    senders: { kind: 'paced', recordsPerRequest, retryAfter: 1000 },
    network: 1,
    delivery,
    shard: { ...usual.shard, ...memory, maxMemory },
    elasticsearch: {
      ...usual.elasticsearch,
      nodes: 1,
      share: 1,
      nodeRate: sinkRate / 1000,
      slotsPerNode: 1,
      overhead: 0,
      variation: 0,
      network: 1,
      pendingPerNode: Number.POSITIVE_INFINITY,
    },
  }
}

/** The same trial in the model. */
export function simulatedRun(of: Trial, memory: RedisMemory, seed: number): Observation {
  const untilMs = of.seconds * 1000
  const { samples, p50, p99, refused } = simulate(
    trialTopology(of, memory),
    {
      name: 'steady',
      title: 'trial',
      load: new Load(of.steps),
      beginsMs: 0,
      endsMs: untilMs,
      untilMs,
      play({ clock, elasticsearch }) {
        clock.after(of.outage.fromMs, () => elasticsearch.outage(true))
        clock.after(of.outage.toMs, () => elasticsearch.outage(false))
      },
    },
    { seed, sampleMs: SAMPLE_MS },
  )
  const sum = Object.values(refused).reduce((total, records) => total + records, 0)
  return { backlog: samples.map(({ ms, backlog }) => ({ ms, records: backlog })), p50, p99, refused: sum }
}
