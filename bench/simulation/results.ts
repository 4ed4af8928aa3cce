import { createHash } from 'node:crypto'
import type { Loss } from './ledger.ts'
import { type Plan, planFor } from './plan.ts'
import { type ScenarioName, scenarios } from './scenarios.ts'
import { type Run, simulate } from './simulate.ts'
import { SIMULATED_CELLS, topologyOf } from './topology.ts'
import { type Variant, variants } from './variants.ts'

/** Records per second that every scenario is played at. */
export const SCENARIO_RATES = [68_000, 500_000, 5_000_000]
export const SCENARIO_NAMES = Object.keys(scenarios) as ScenarioName[]

/** What came of one run, for the whole installation. Records, milliseconds. */
export interface Summary {
  readonly name: string
  readonly title: string
  readonly rate: number
  readonly issued: number
  readonly delivered: number
  readonly peakBacklog: number
  readonly peakMemory: number
  readonly p50: number
  readonly p99: number
  /** The highest p99 of any five seconds. */
  readonly worstP99: number
  readonly refused: number
  readonly lost: Readonly<Record<Loss, number>>
  readonly duplicates: number
  readonly recoveryMs: number | null
}

/** What docs/scale.md tells of the scenarios. */
export interface Results {
  /** Of everything the runs were made from: another one, and they are to be made anew. */
  readonly fingerprint: string
  readonly scenarios: readonly Summary[]
  readonly variants: readonly Summary[]
}

export interface Played {
  readonly summary: Summary
  readonly plan: Plan
  readonly run: Run
}

/** Plays one scenario at one rate. */
export function play(name: ScenarioName, rate: number): Played {
  const plan = planFor(rate)
  const topology = topologyOf(plan)
  return played(name, plan, simulate(topology, scenarios[name](topology)))
}

/** Plays a scenario on an installation that departs from the plan. */
export function playVariant({ name, title, rate, change, scenario }: Variant): Played {
  const plan = planFor(rate)
  const topology = change(topologyOf(plan))
  return played(name, plan, simulate(topology, scenario(topology)), title)
}

/** Changes with every parameter, default and scenario. */
export function fingerprint(): string {
  const made = SCENARIO_RATES.map((rate) => {
    const topology = topologyOf(planFor(rate))
    return [topology, SCENARIO_NAMES.map((name) => scenarios[name](topology))]
  })
  const named = variants.map(({ name, title, rate }) => [name, title, rate])
  return createHash('sha256')
    .update(JSON.stringify([made, named]))
    .digest('hex')
    .slice(0, 16)
}

function played(name: string, plan: Plan, run: Run, title = run.scenario.title): Played {
  const scale = plan.cells / SIMULATED_CELLS
  const largest = (of: (sample: Run['samples'][number]) => number): number => Math.max(...run.samples.map(of))
  const whole = (records: number): number => Math.round(records * scale)
  const { account, lost, refused } = run
  const summary: Summary = {
    name,
    title,
    rate: plan.rate,
    issued: whole(account.issued),
    delivered: whole(account.delivered),
    peakBacklog: whole(largest(({ backlog }) => backlog)),
    peakMemory: rounded(largest(({ memory }) => memory)),
    p50: Math.round(run.p50),
    p99: Math.round(run.p99),
    worstP99: Math.round(largest(({ p99 }) => p99)),
    refused: whole(Object.values(refused).reduce((sum, records) => sum + records, 0)),
    lost: {
      queue_full: whole(lost.queue_full),
      gave_up: whole(lost.gave_up),
      failover: whole(lost.failover),
    },
    duplicates: whole(run.duplicates),
    recoveryMs: run.recoveryMs ?? null,
  }
  return { summary, plan, run }
}

const rounded = (share: number): number => Math.round(share * 1000) / 1000
