import {
  type Connector,
  type DeadLetters,
  type Lease,
  RetryableError,
  type SpillConnector,
} from '../component.ts'
import type { ComponentContext } from '../define.ts'
import { type BackoffSettings, backoff } from '../delivery/circuit.ts'
import { pause } from '../delivery/pause.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { BoundCounter } from '../telemetry/metrics.ts'

/** Refusals that another buffer does not help against. */
const NOT_OVERFLOWING = new Set(['cancelled', 'stopping', 'unread'])
const REFILL_BACKOFF: BackoffSettings = { initial_interval: 250, max_interval: 2_000 }
/** After a fault of our own: long enough not to spin. */
const RELEASE_DELAY_MS = 1_000

/** What the refill of a connector is called among the groups of its overflow. */
export const overflowGroup = (connector: string): string => `overflow/${connector}`

export interface OverflowOptions {
  readonly primary: Connector
  readonly spill: SpillConnector
  /** What the refill is called among the groups of the spill. */
  readonly group: string
  readonly context: ComponentContext
}

/**
 * A connector with another behind it, which keeps what the first is too full or too far away to take, and gives it
 * back in order. Until the spill is empty again everything goes through it, so that nothing overtakes. Ids are made
 * with the key of the first connector either way: a request that is repeated meanwhile is recognised.
 */
export class OverflowConnector implements Connector {
  readonly #options: OverflowOptions
  readonly #ending = new AbortController()
  readonly #spilled: BoundCounter
  readonly #refilled: BoundCounter
  #refill: Promise<void> | undefined
  #adopted: Buffer | undefined
  #told = false

  constructor(options: OverflowOptions) {
    this.#options = options
    const { metrics } = options.context
    this.#spilled = metrics.counter(
      'sluice_overflow_spilled_log_records_total',
      'Log records that the overflow took because the buffer did not.',
    )
    this.#refilled = metrics.counter(
      'sluice_overflow_refilled_log_records_total',
      'Log records that went from the overflow into the buffer.',
    )
    metrics.gauge('sluice_overflow_active', '1 while pushes go to the overflow.', {}, () =>
      Number(this.#isSpilling),
    )
  }

  async start(): Promise<void> {
    const { primary, spill } = this.#options
    await spill.start?.()
    await primary.start?.()
    this.#refill = this.#run()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#ending.abort()
    await this.#options.primary.stop?.(deadline)
    await this.#refill
    await this.#options.spill.stop?.(deadline)
  }

  readonly push = async (batch: LogBatch, signal: AbortSignal): Promise<void> => {
    const { primary, spill } = this.#options
    await this.#identify(batch)
    if (!this.#isSpilling) {
      try {
        await primary.push(batch, signal)
        this.#tell(false)
        return
      } catch (error) {
        if (!(error instanceof RetryableError) || NOT_OVERFLOWING.has(error.reason)) throw error
        this.#tell(true, error)
      }
    }
    const records = batch.size
    await spill.push(batch, signal)
    this.#spilled.inc(records)
  }

  leases(group: string, signal: AbortSignal): AsyncIterable<Lease> {
    return this.#options.primary.leases(group, signal)
  }

  bury(letters: DeadLetters, signal: AbortSignal): Promise<void> {
    return this.#options.primary.bury(letters, signal)
  }

  get #isSpilling(): boolean {
    const { spill, group } = this.#options
    return spill.held(group) > 0
  }

  /** Also before the first connector can be reached: the spill kept its key. */
  async #identify(batch: LogBatch): Promise<void> {
    const { primary, spill } = this.#options
    const key = primary.identity?.()
    if (key === undefined) return
    batch.identify(key)
    if (this.#adopted?.equals(key)) return
    await spill.adoptIdentity(key)
    this.#adopted = key
  }

  async #run(): Promise<void> {
    const { spill, group, context } = this.#options
    const { signal } = this.#ending
    while (!signal.aborted) {
      try {
        for await (const lease of spill.leases(group, signal)) await this.#moveBack(lease, signal)
      } catch (err) {
        if (signal.aborted) return
        context.log.error({ err }, 'reading the overflow stopped; starting again')
        await pause(RELEASE_DELAY_MS, signal).catch(() => {})
      }
    }
  }

  /** One at a time, and each until it is taken: that is what keeps the order. */
  async #moveBack(lease: Lease, signal: AbortSignal): Promise<void> {
    const { primary, context } = this.#options
    const records = lease.batch.size
    for (let attempt = 0; ; attempt++) {
      try {
        await primary.push(lease.batch, signal)
        break
      } catch (error) {
        if (signal.aborted) return lease.release(0)
        if (!(error instanceof RetryableError)) {
          context.log.error({ err: error, records }, 'what was spilled could not be moved back; trying again')
          return lease.release(RELEASE_DELAY_MS)
        }
        const wait = Math.max(error.retryAfter ?? 0, backoff(REFILL_BACKOFF, attempt))
        await pause(wait, signal).catch(() => {})
      }
    }
    await lease.ack()
    lease.batch.release()
    this.#refilled.inc(records)
  }

  #tell(spilling: boolean, cause?: RetryableError): void {
    if (this.#told === spilling) return
    this.#told = spilling
    const { log } = this.#options.context
    if (spilling) log.warn({ reason: cause?.reason }, `the overflow takes over: ${cause?.message}`)
    else log.info('the overflow is empty, and the buffer takes batches again')
  }
}
