import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { HealthState, ProcessStatus, Reading, ServiceStatus } from '../define.ts'
import { worstOf } from '../telemetry/health.ts'
import type { Metrics, Which } from '../telemetry/metrics.ts'
import { MergedMetrics } from './merged-metrics.ts'
import type { PlannedProcess } from './plan.ts'
import { type Patience, Supervised } from './supervised.ts'

/** How long a scrape waits for a process; then it shows what the process told last. */
const SCRAPE_MS = 1000
/** What a process may need after its deadline to let go of everything. */
const GRACE_MS = 2000

const PATIENCE: Patience = {
  interval: 1000,
  unwellAfter: 5,
  hangsAfter: 30,
  restart: { initial_interval: 200, max_interval: 30_000 },
  wellAfter: 60_000,
}

export interface SupervisorOptions {
  readonly plan: readonly PlannedProcess[]
  readonly config: { readonly file: string; readonly text: string }
  readonly fork: (planned: PlannedProcess) => ChildProcess
  readonly log: Logger
  /** Of the supervising process itself. */
  readonly metrics: Metrics
  readonly patience?: Patience
}

/** Runs the planned processes, and speaks for all of them. */
export class Supervisor {
  readonly #processes: readonly Supervised[]
  readonly #merged = new MergedMetrics()
  readonly #log: Logger
  readonly #metrics: Metrics

  constructor({ plan, config, fork, log, metrics, patience = PATIENCE }: SupervisorOptions) {
    this.#log = log
    this.#metrics = metrics
    this.#processes = plan.map((planned) => {
      const { name } = planned
      return new Supervised({
        planned,
        config,
        fork,
        log,
        patience,
        metrics: metrics.bind({ process: name }),
        heard: (report) => this.#merged.update(name, report.metrics),
        gone: () => this.#merged.end(name),
      })
    })
  }

  /** Starts all at once. Rejects with what the first one says that cannot start. */
  async start(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.start()))
  }

  /**
   * Stops all, those that feed others first. At the deadline those that are left are told to stop too, and shortly
   * after killed. Resolves with whether all ended in order.
   */
  async stop(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    const left = (): number => Math.max(0, deadline - performance.now())
    const ranks = Map.groupBy(this.#processes, ({ planned }) => planned.rank)
    for (const [, processes] of [...ranks].sort(([a], [b]) => a - b)) {
      for (const process of processes) process.stop(Math.ceil(left()))
      await within(left(), Promise.all(processes.map(({ ended }) => ended)))
    }
    const all = Promise.all(this.#processes.map(({ ended }) => ended))
    await within(left() + GRACE_MS, all)
    for (const process of this.#processes) this.#killLate(process)
    return (await all).every(Boolean)
  }

  /** `own`: how the supervising process is itself. The service is as well as the worst of its processes. */
  status(own: ServiceStatus): ServiceStatus {
    const entries = this.#processes.map((process): [string, ProcessStatus] => [
      process.planned.name,
      this.#statusOf(process),
    ])
    const states = entries.map(([, { state }]): HealthState => state)
    return { ...own, state: worstOf([own.state, ...states]), processes: Object.fromEntries(entries) }
  }

  /** The metrics of all processes as those of one service, in the text format of Prometheus. */
  async metricsText(): Promise<string> {
    await this.#ask('all')
    return this.#merged.text(await this.#metrics.snapshot('all'))
  }

  /** What the metrics of all processes tell of the work of the service. */
  async readings(): Promise<Reading[]> {
    await this.#ask('work')
    return this.#merged.readings(await this.#metrics.snapshot('work'))
  }

  #ask(metrics: Which): Promise<void> {
    return within(SCRAPE_MS, Promise.all(this.#processes.map((process) => process.ask(metrics))))
  }

  /** While one of a group is down, the others do its work. */
  #statusOf(process: Supervised): ProcessStatus {
    const { status, planned } = process
    const others = this.#processes.filter(
      (other) => other !== process && other.planned.group === planned.group,
    )
    const isReplaced = !process.isUp && status.state === 'failed' && others.some(({ isUp }) => isUp)
    return isReplaced ? { ...status, state: 'degraded' } : status
  }

  #killLate(process: Supervised): void {
    if (!process.isAlive) return
    this.#log.error({ worker: process.planned.name }, 'process did not stop by the deadline; it is killed')
    process.kill()
  }
}

/** Resolves when `work` has, and after `ms` anyway. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController()
  const late = delay(ms, undefined, { signal: done.signal }).catch(() => {})
  await Promise.race([work, late])
  done.abort()
}
