import { openElement } from '../../../src/buffer/element.ts'
import { unlessAborted } from '../../../src/buffer/unless-aborted.ts'
import type { Lease } from '../../../src/component.ts'
import type { ComponentContext } from '../../../src/define.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import type { RateLimitedLog } from '../../../src/telemetry/logger.ts'
import type { BoundCounter } from '../../../src/telemetry/metrics.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import { pause } from '../connection/pause.ts'
import { OldestAge } from './age.ts'
import type { Keys } from './keys.ts'
import { Reaper } from './reaper.ts'
import { type Held, type Outcome, Worker } from './worker.ts'

/**
 * A script cannot block, so a queue that was emptied is asked again after a while, and less and less often. What is
 * taken once has cost less than what is taken bit by bit.
 */
const FIRST_PAUSE = 10
const LONGEST_PAUSE = 50
const TROUBLE_PAUSE = 500
/** So few elements at once are all that the queue held. */
const FEW = 4

export interface ConsumerOptions {
  readonly client: RedisClient
  readonly keys: Keys
  readonly group: string
  readonly config: RedisConfig
  readonly context: ComponentContext
  readonly log: RateLimitedLog
  /** The identity key; throws while it is unknown. */
  readonly identity: () => Buffer
}

/** A batch somebody has. */
interface Loan {
  readonly worker: Worker
  readonly number: number
  readonly records: number
  readonly receivedMs: number
}

/** Hands out what waits in the queue of one group. */
export class Consumer {
  readonly #options: ConsumerOptions
  readonly #ending = new AbortController()
  readonly #reaper: Reaper
  readonly #age: OldestAge
  readonly #acked: BoundCounter
  readonly #undecodable: BoundCounter
  readonly #lent = new Set<Loan>()
  /** Released batches whose time has not come, and how to let them go. */
  readonly #delayed = new Map<NodeJS.Timeout, () => void>()
  #worker: Worker | undefined
  /** Taken, and not handed out yet. */
  #ready: Held[] = []
  #taking: Promise<void> | undefined
  #stopping = false

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#reaper = new Reaper(options)
    this.#age = new OldestAge(options, () => Math.min(...[...this.#lent].map(({ receivedMs }) => receivedMs)))
    const { context, group } = options
    this.#acked = context.metrics.counter(
      'sluice_buffer_acked_log_records_total',
      'Log records that left the buffer as delivered.',
      { group },
    )
    this.#undecodable = context.metrics.counter(
      'sluice_buffer_undecodable_elements_total',
      'Elements that were no batches, and went to the dead letters as they were.',
      { group },
    )
  }

  /**
   * Ends soon after `signal` aborts. What was not handed out goes back at once; what was, stays with whoever has
   * it, until that is settled or the consumer is stopped.
   */
  async *leases(signal: AbortSignal): AsyncGenerator<Lease, void, undefined> {
    const ended = this.#ending.signal
    const { prefetch } = this.#options.config
    const end = (): void => this.#end()
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    this.#reaper.start()
    this.#age.start()
    try {
      for (let wait = FIRST_PAUSE; !ended.aborted; ) {
        this.#taking = this.#take()
        await unlessAborted(this.#taking, ended)
        const taken = this.#ready.length
        wait = taken === 0 ? Math.min(wait * 1.5, LONGEST_PAUSE) : FIRST_PAUSE
        const again = performance.now() + wait
        while (this.#ready.length > 0 && !ended.aborted) {
          const lease = this.#lend(this.#ready.shift() as Held)
          if (lease) yield lease
        }
        if (taken < Math.min(FEW, prefetch)) await pause(Math.max(0, again - performance.now()), ended)
      }
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  /** Ends, and gives everything back that is not settled by now, in order. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true
    this.#end()
    if (this.#taking) await unlessAborted(this.#taking, deadline)
    if (this.#worker) await unlessAborted(this.#worker.leave(), deadline)
    for (const timer of this.#delayed.keys()) clearTimeout(timer)
    this.#reaper.stop()
  }

  /** Never throws. */
  async #take(): Promise<void> {
    const { log, group, identity } = this.#options
    try {
      identity()
      const worker = await this.#member()
      this.#ready = await worker.take()
    } catch (err) {
      log.warn('take', { err, group }, 'nothing could be taken from the queue')
      await pause(TROUBLE_PAUSE, this.#ending.signal)
    } finally {
      this.#taking = undefined
      if (this.#ending.signal.aborted) this.#end()
    }
  }

  async #member(): Promise<Worker> {
    if (this.#worker && !this.#worker.gone) return this.#worker
    const worker = new Worker(this.#options, () => {
      this.#ready = []
      this.#lent.clear()
    })
    await worker.join()
    this.#worker = worker
    return worker
  }

  #lend({ number, bytes }: Held): Lease | undefined {
    const worker = this.#worker as Worker
    const batch = this.#open(bytes)
    if (batch === undefined || batch.size === 0) {
      void this.#settle(newLoan(worker, number), batch ? 'ack' : 'bury')
      return undefined
    }
    const loan = newLoan(worker, number, batch)
    this.#lent.add(loan)
    let settled = false
    const once = async (settle: () => Promise<void>): Promise<void> => {
      if (settled) return
      settled = true
      await settle()
    }
    return {
      batch,
      ack: () => once(() => this.#settle(loan, 'ack')),
      release: (delayMs) => once(() => this.#release(loan, delayMs)),
    }
  }

  /** What cannot be opened never will be. */
  #open(bytes: Buffer): LogBatch | undefined {
    const { identity, log, group } = this.#options
    try {
      const batch = openElement(bytes)
      batch.identify(identity())
      return batch
    } catch (err) {
      log.warn(
        'undecodable',
        { err, group, bytes: bytes.length },
        'an element is no batch: it was buried as it is',
      )
      this.#undecodable.inc()
      return undefined
    }
  }

  async #settle(loan: Loan, outcome: Outcome): Promise<void> {
    const settled = await loan.worker.settle(loan.number, outcome, loan.records)
    this.#lent.delete(loan)
    if (settled && outcome === 'ack') this.#acked.inc(loan.records)
    if (this.#ending.signal.aborted) this.#end()
  }

  /** The wait is spent here, in flight: an element in the queue could not be told to stay. */
  async #release(loan: Loan, delayMs: number): Promise<void> {
    const back = (): void => void this.#settle(loan, 'release')
    if (delayMs <= 0 || this.#ending.signal.aborted) {
      back()
      return
    }
    const timer = setTimeout(() => {
      this.#delayed.delete(timer)
      back()
    }, delayMs).unref()
    this.#delayed.set(timer, back)
  }

  /** Takes no more, lets go what nobody has, and leaves once nothing is on loan. */
  #end(): void {
    this.#ending.abort()
    this.#age.stop()
    if (this.#stopping) return
    const worker = this.#worker
    if (worker)
      for (const { number } of this.#ready.splice(0)) void this.#settle(newLoan(worker, number), 'release')
    for (const [timer, back] of this.#delayed) {
      clearTimeout(timer)
      back()
    }
    this.#delayed.clear()
    if (this.#taking || (worker && worker.held > 0)) return
    this.#reaper.stop()
    void worker?.leave()
  }
}

function newLoan(worker: Worker, number: number, batch?: LogBatch): Loan {
  return { worker, number, records: batch?.size ?? 0, receivedMs: batch?.receivedMs ?? Date.now() }
}
