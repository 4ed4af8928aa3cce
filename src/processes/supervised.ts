import type { ChildProcess } from 'node:child_process'
import type { Logger } from 'pino'
import type { ProcessStatus } from '../define.ts'
import { backoff } from '../delivery/circuit.ts'
import { pause } from '../delivery/pause.ts'
import type { ComponentMetrics, Which } from '../telemetry/metrics.ts'
import { Child, type Exit } from './child.ts'
import type { Report } from './messages.ts'
import type { PlannedProcess } from './plan.ts'

/** How patient supervision is. Times in milliseconds. */
export interface Patience {
  /** Between two questions how a process is. */
  readonly interval: number
  /** Questions in a row without an answer, after which a process counts as unwell. */
  readonly unwellAfter: number
  /** The same, after which it counts as hanging and is killed. */
  readonly hangsAfter: number
  readonly restart: { readonly initial_interval: number; readonly max_interval: number }
  /** A process that ran this long starts again as quickly as one that never ended before. */
  readonly wellAfter: number
}

export interface SupervisedOptions {
  readonly planned: PlannedProcess
  readonly config: { readonly file: string; readonly text: string }
  readonly fork: (planned: PlannedProcess) => ChildProcess
  readonly heard: (report: Report) => void
  /** Called when the process has ended, before another takes its place. */
  readonly gone: () => void
  readonly log: Logger
  readonly metrics: ComponentMetrics
  readonly patience: Patience
}

const REASONS = ['exit', 'signal', 'hang'] as const

/** How a process ended that was not told to. */
interface Ending extends Exit {
  readonly reason: (typeof REASONS)[number]
  readonly pid: number | undefined
  /** How long it was ready. */
  readonly ranMs: number
}

/** A place among the processes: runs a process, and another one when that ends. */
export class Supervised {
  readonly planned: PlannedProcess
  readonly #options: SupervisedOptions
  readonly #first = Promise.withResolvers<void>()
  readonly #stopping = new AbortController()
  #child: Child | undefined
  #report: Report | undefined
  #isRunning = false
  #hasStarted = false
  #unanswered = 0
  /** Why it does not run, for the health answer. */
  #trouble = ''
  #whole: Promise<boolean> | undefined

  constructor(options: SupervisedOptions) {
    this.planned = options.planned
    this.#options = options
    for (const reason of REASONS) this.#countRestart(reason, 0)
    options.metrics.gauge('sluice_process_up', '1 while the process runs and answers.', {}, () =>
      Number(this.isUp),
    )
  }

  /** Resolves once the process is ready; rejects when it ends before. From then on it starts again whenever it ends. */
  start(): Promise<void> {
    this.#whole = this.#run()
    return this.#first.promise
  }

  /** Resolves when it has ended for good: with true if it did so in order. */
  get ended(): Promise<boolean> {
    return this.#whole ?? Promise.resolve(true)
  }

  get isUp(): boolean {
    return this.#isRunning && this.#unanswered < this.#options.patience.unwellAfter
  }

  /** What the process last told of itself, or what is known of it while it tells nothing. */
  get status(): ProcessStatus {
    const { state = 'ok', components = {} } = this.#report?.status ?? {}
    const pid = this.#child?.pid
    if (this.isUp) return { state, pid, components }
    if (!this.#hasStarted) return { state: 'starting', pid, components }
    if (this.#stopping.signal.aborted) return { state: 'stopping', pid, components }
    return { state: 'failed', detail: this.#trouble || 'gives no answer', pid, components }
  }

  /** Asks how the process is; resolves when it has answered, or has ended. */
  async ask(metrics: Which): Promise<void> {
    await this.#child?.report(metrics)
  }

  /** Lets the process end in order, within `timeoutMs`, and starts no other. */
  stop(timeoutMs: number): void {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    this.#child?.tell({ type: 'stop', timeoutMs })
  }

  get isAlive(): boolean {
    return this.#child !== undefined
  }

  kill(): void {
    this.#child?.kill()
  }

  async #run(): Promise<boolean> {
    const { signal } = this.#stopping
    const { patience, planned } = this.#options
    for (let failures = 0; ; failures++) {
      const ending = await this.#live()
      if (!this.#hasStarted) {
        this.#first.reject(new Error(`${planned.name} could not start: ${ending.message ?? inWords(ending)}`))
        return false
      }
      if (signal.aborted) return this.#isOrderly(ending)
      if (ending.ranMs >= patience.wellAfter) failures = 0
      await this.#wait(ending, Math.round(backoff(patience.restart, failures)))
      if (signal.aborted) return true
    }
  }

  /** Runs one process to its end. */
  async #live(): Promise<Ending> {
    const { config, fork, gone, heard, log, patience, planned } = this.#options
    const child = new Child(fork(planned), (report) => {
      this.#report = report
      this.#unanswered = 0
      heard(report)
    })
    this.#child = child
    const { file, text } = config
    child.tell({ type: 'run', file, text, name: planned.name, pipelines: planned.pipelines })
    let readyAt = Number.POSITIVE_INFINITY
    void child.ready.then((isReady) => {
      if (!isReady) return
      readyAt = performance.now()
      this.#isRunning = true
      this.#unanswered = 0
      this.#hasStarted = true
      this.#trouble = ''
      this.#first.resolve()
      log.info({ worker: planned.name, pid: child.pid }, 'process is ready')
    })
    const watch = setInterval(() => this.#watch(child), patience.interval)
    const exit = await child.exited
    clearInterval(watch)
    const hung = this.#unanswered >= patience.hangsAfter
    const reason = hung ? 'hang' : exit.signal === null ? 'exit' : 'signal'
    this.#child = undefined
    this.#report = undefined
    this.#isRunning = false
    this.#unanswered = 0
    gone()
    return { ...exit, pid: child.pid, reason, ranMs: Math.max(0, performance.now() - readyAt) }
  }

  /** Counts questions instead of time: after a machine has slept, nobody was silent for long. */
  #watch(child: Child): void {
    if (!child.owesAnswer) {
      void child.report('counts')
      return
    }
    this.#unanswered++
    if (this.#unanswered < this.#options.patience.hangsAfter) return
    const { log, planned } = this.#options
    log.error({ worker: planned.name, pid: child.pid }, 'process gives no answer; it is killed')
    child.kill()
  }

  /** Waits before the next start, longer each time. */
  async #wait(ending: Ending, ms: number): Promise<void> {
    const { log, planned } = this.#options
    const { pid, code, signal, reason, message } = ending
    this.#trouble = `${inWords(ending)} and starts again`
    this.#countRestart(reason, 1)
    log.error(
      { worker: planned.name, pid, code, signal, reason, message, restartMs: ms },
      'process ended; another one is started',
    )
    await pause(ms, this.#stopping.signal).catch(() => {})
  }

  #isOrderly({ code, signal, pid }: Ending): boolean {
    const { log, planned } = this.#options
    const fields = { worker: planned.name, pid, code, signal }
    if (code === 0) log.info(fields, 'process has stopped')
    else log.error(fields, 'process did not stop in order')
    return code === 0
  }

  #countRestart(reason: Ending['reason'], count: number): void {
    this.#options.metrics
      .counter('sluice_process_restarts_total', 'Processes that ended and were started again.', { reason })
      .inc(count)
  }
}

function inWords({ code, signal }: Exit): string {
  return signal === null ? `it ended with code ${code}` : `it ended with ${signal}`
}
