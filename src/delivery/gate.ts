import { PermanentError, RetryableError } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { ComponentMetrics } from '../telemetry/metrics.ts'
import { AdaptiveLimit, type CutReason, fixedLimit, type Limit } from './adaptive-limit.ts'
import { Circuit, type Turn } from './circuit.ts'
import type { DeliverySettings } from './config.ts'
import { Limiter, type Permit } from './limiter.ts'
import { heeded } from './retry-after.ts'

/** Decides when a destination is asked: not while it is down, and not by more at once than it takes. */
export class Gate {
  readonly #circuit: Circuit
  readonly #limiter: Limiter
  #waiting = 0

  constructor({ retry_on_failure, sending_queue }: DeliverySettings, metrics: ComponentMetrics) {
    this.#circuit = new Circuit(retry_on_failure)
    this.#limiter = new Limiter(limitOf(sending_queue, metrics))
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge(name, help, {}, read)
    gauge('sluice_exporter_circuit_open', '1 while the destination is left alone.', () =>
      this.#circuit.isOpen ? 1 : 0,
    )
    gauge(
      'sluice_exporter_concurrency_limit',
      'Requests that may be under way at once, as the destination keeps up.',
      () => this.#limiter.limit,
    )
    gauge(
      'sluice_exporter_waiting_requests',
      'Requests that wait for the limit, or for a destination that is down.',
      () => this.#waiting,
    )
  }

  /**
   * Attempts to deliver `batch` when the destination may be asked, and learns from how that ends.
   * Throws what the attempt throws, or the reason of `signal`.
   */
  async pass(batch: LogBatch, attempt: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { turn, permit } = await this.#enter(signal)
    try {
      await attempt()
      turn.answered()
      permit.taken(batch.byteLength)
    } catch (error) {
      if (signal.aborted) turn.abandon()
      else this.#learn(error, batch, turn, permit)
      throw error
    } finally {
      permit.release()
    }
  }

  async #enter(signal: AbortSignal): Promise<{ readonly turn: Turn; readonly permit: Permit }> {
    this.#waiting++
    try {
      for (;;) {
        const turn = await this.#circuit.turn(signal)
        const permit = await this.#limiter.acquire(signal).catch((error: unknown) => {
          turn.abandon()
          throw error
        })
        if (turn.isProbe || !this.#circuit.isOpen) return { turn, permit }
        // The destination went down meanwhile.
        turn.abandon()
        permit.release()
      }
    } finally {
      this.#waiting--
    }
  }

  #learn(error: unknown, batch: LogBatch, turn: Turn, permit: Permit): void {
    const leaveAlone = outagePause(error)
    if (leaveAlone !== undefined) {
      turn.failed(heeded(leaveAlone))
      this.#limiter.restart()
      return
    }
    turn.answered()
    if (error instanceof PermanentError) permit.taken(batch.byteLength)
    else if (isRefusal(error)) permit.refused((error.remaining?.length ?? batch.size) / batch.size)
  }
}

/** How long at least to leave the destination alone; undefined when it is not down: the failure concerns some records, or how many come at once. */
export function outagePause(error: unknown): number | undefined {
  if (error instanceof PermanentError) return undefined
  if (!(error instanceof RetryableError)) return 0
  if (error.remaining !== undefined) return undefined
  return error.retryAfter ?? (isRefusal(error) ? undefined : 0)
}

/** What exporters call a destination that has no room at the moment. */
const REFUSALS: readonly string[] = ['too_many', 'status_429']

function isRefusal(error: unknown): error is RetryableError {
  return error instanceof RetryableError && REFUSALS.includes(error.reason)
}

function limitOf(
  { num_consumers, adaptive_concurrency }: DeliverySettings['sending_queue'],
  metrics: ComponentMetrics,
): Limit {
  if (!adaptive_concurrency.enabled) return fixedLimit(num_consumers)
  const counter = (reason: CutReason) =>
    metrics.counter(
      'sluice_exporter_concurrency_cuts_total',
      'How often the limit of requests under way was cut, by reason.',
      { reason },
    )
  const cuts = { too_many: counter('too_many'), latency: counter('latency') }
  return new AdaptiveLimit(num_consumers, adaptive_concurrency, (reason) => cuts[reason].inc())
}
