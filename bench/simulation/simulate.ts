import type { Loss, Refusal } from './ledger.ts'
import type { Scenario } from './scenarios.ts'
import { type Account, System } from './system.ts'
import type { Topology } from './topology.ts'

/** The state at one moment, and what happened since the sample before. Records; delays in milliseconds. */
export interface Sample {
  readonly ms: number
  readonly backlog: number
  readonly queued: number
  /** The fullest Redis, as a share of maxmemory. */
  readonly memory: number
  readonly delivered: number
  readonly p50: number
  readonly p99: number
  /** Since the beginning. */
  readonly refused: number
  readonly lost: number
}

export interface Run {
  readonly scenario: Scenario
  readonly samples: readonly Sample[]
  readonly account: Account
  readonly lost: Readonly<Record<Loss, number>>
  readonly refused: Readonly<Record<Refusal, number>>
  readonly duplicates: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** From the end of the cause until the backlog was as before; undefined when the simulation ended earlier. */
  readonly recoveryMs: number | undefined
}

export interface SimulateOptions {
  readonly seed: number
  readonly sampleMs: number
}

const DEFAULTS: SimulateOptions = { seed: 1, sampleMs: 5_000 }
/** How much more than before still counts as empty. */
const EMPTY = 1.5
/** For how long it has to stay so. */
const CALM_MS = 60_000

/**
 * Plays a scenario on a topology. The same seed gives the same run.
 * @throws Error when a record is missing or there twice: the model is wrong then
 */
export function simulate(
  topology: Topology,
  scenario: Scenario,
  options: Partial<SimulateOptions> = {},
): Run {
  const { seed, sampleMs } = { ...DEFAULTS, ...options }
  const system = new System(topology, scenario.load, seed)
  const { clock, ledger } = system
  scenario.play(system)
  const samples: Sample[] = []
  let delivered = 0
  let usual = 0
  let calmMs: number | undefined
  while (clock.now < scenario.untilMs) {
    clock.runUntil(clock.now + sampleMs)
    samples.push({
      ms: clock.now,
      backlog: system.backlog,
      queued: system.queued,
      memory: system.memoryShare,
      delivered: ledger.delivered - delivered,
      p50: ledger.window.quantile(0.5),
      p99: ledger.window.quantile(0.99),
      refused: ledger.allRefused,
      lost: ledger.allLost,
    })
    delivered = ledger.delivered
    ledger.window.clear()
    if (clock.now <= scenario.beginsMs) usual = Math.max(usual, system.backlog)
    if (clock.now < scenario.endsMs) continue
    if (system.backlog > usual * EMPTY) calmMs = undefined
    else calmMs ??= clock.now
    if (calmMs !== undefined && clock.now >= calmMs + CALM_MS) break
  }
  return {
    scenario,
    samples,
    account: checked(system.account()),
    lost: { ...ledger.lost },
    refused: { ...ledger.refused },
    duplicates: ledger.duplicates,
    p50: ledger.delays.quantile(0.5),
    p99: ledger.delays.quantile(0.99),
    max: ledger.delays.max,
    recoveryMs: calmMs === undefined ? undefined : calmMs - scenario.endsMs,
  }
}

function checked(account: Account): Account {
  const { issued, delivered, buffered, queued, lost } = account
  const missing = issued - delivered - buffered - queued - lost
  if (missing !== 0) throw new Error(`the simulation has lost track of ${missing} records`)
  return account
}
