import type { Logger } from 'pino'
import { type Exporter, PermanentError, type Rejection, RetryableError } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { ComponentMetrics } from '../telemetry/metrics.ts'
import { backoff } from './circuit.ts'
import type { DeliverySettings } from './config.ts'
import { Gate, outagePause } from './gate.ts'
import { pause } from './pause.ts'
import { heeded } from './retry-after.ts'

/** Keeps refused records for good, and resolves once it has. */
export type Bury = (batch: LogBatch, reason: string, signal: AbortSignal) => Promise<void>

const LATENCY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600]
const ATTEMPT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** A retry that leaves no more than this share of the records is a success: the wait before the next one is short again. */
const PROGRESS = 0.5
/** The reason of exporters that lack the right to write. */
const UNAUTHORIZED = 'unauthorized'

/**
 * Brings batches to one exporter: times attempts out, retries with backoff and jitter what may succeed later,
 * buries what never will, and holds back while the destination is down or has no room. Shared by all pipelines of
 * the exporter.
 */
export class Sender {
  readonly #exporter: Exporter
  readonly #settings: DeliverySettings
  readonly #log: Logger
  readonly #gate: Gate
  readonly #metrics: ReturnType<typeof senderMetrics>
  #inFlight = 0

  constructor(exporter: Exporter, settings: DeliverySettings, log: Logger, metrics: ComponentMetrics) {
    this.#exporter = exporter
    this.#settings = settings
    this.#log = log
    this.#gate = new Gate(settings, metrics)
    this.#metrics = senderMetrics(metrics, () => this.#inFlight)
  }

  get settings(): DeliverySettings {
    return this.#settings
  }

  /**
   * One attempt, for a pipeline without a buffer: its sender holds the batch and retries itself.
   * Throws what the exporter throws.
   */
  async sendOnce(batch: LogBatch, signal: AbortSignal): Promise<void> {
    try {
      await this.#attempt(batch, signal)
    } catch (error) {
      this.#metrics.failed.inc(batch.size)
      throw error
    }
    this.#delivered(batch, batch.size)
  }

  /** Resolves once every record is delivered or buried. Rejects only when `signal` aborts first. */
  async send(batch: LogBatch, bury: Bury, signal: AbortSignal): Promise<void> {
    let left = batch
    for (let retry = 0; left.size > 0; ) {
      try {
        await this.#gate.pass(left, () => this.#attempt(left, signal), signal)
        this.#delivered(left, left.size)
        return
      } catch (error) {
        signal.throwIfAborted()
        const { remaining, rejected, retryAfter = 0 } = this.#outcome(error, left)
        let buried = 0
        for (const { records, reason } of rejected) {
          const refused = left.select(records)
          buried += refused.size
          await this.#buryUntilKept(refused, reason, bury, signal)
        }
        const next = remaining === undefined ? left : left.select(remaining)
        this.#delivered(left, left.size - buried - next.size)
        this.#metrics.failed.inc(next.size)
        if (next.size <= left.size * PROGRESS) retry = 0
        left = next
        // The circuit waits for a destination that is down, and asks for no second wait.
        if (left.size > 0 && outagePause(error) === undefined) {
          const wait = Math.max(heeded(retryAfter), backoff(this.#settings.retry_on_failure, retry++))
          await pause(wait, signal)
        }
      }
    }
  }

  async #attempt(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const timeout = AbortSignal.timeout(this.#settings.timeout)
    const started = performance.now()
    this.#inFlight++
    try {
      await this.#exporter.export(batch, AbortSignal.any([signal, timeout]))
    } catch (cause) {
      if (signal.aborted) throw cause
      const error = timeout.aborted ? this.#late(cause) : cause
      if (error instanceof RetryableError) this.#metrics.failedAttempts(error.reason)
      else if (!(error instanceof PermanentError)) this.#metrics.failedAttempts('unexpected')
      throw error
    } finally {
      this.#inFlight--
      this.#metrics.attempts.observe((performance.now() - started) / 1000)
    }
  }

  /** With what an attempt that ran out of time had settled all the same: a batch may take several requests. */
  #late(cause: unknown): RetryableError {
    const settled = cause instanceof RetryableError && cause.remaining !== undefined ? cause : undefined
    return new RetryableError(`no answer within ${this.#settings.timeout} ms`, {
      cause,
      reason: 'timeout',
      ...(settled?.remaining && { remaining: settled.remaining, rejected: settled.rejected }),
    })
  }

  /** What an error means for the records: which are to be sent again, and which are lost to the destination. */
  #outcome(
    error: unknown,
    batch: LogBatch,
  ): {
    remaining?: readonly number[] | undefined
    rejected: readonly Rejection[]
    retryAfter?: number | undefined
  } {
    if (error instanceof RetryableError) {
      this.#log.warn(
        { reason: error.reason, records: batch.size, err: error.message },
        'delivery goes on later',
      )
      return error
    }
    if (error instanceof PermanentError) {
      this.#log.warn({ records: batch.size, err: error.message }, 'destination refused records for good')
      const all = { records: batch.indices(), reason: error.message }
      return { remaining: [], rejected: error.rejected.length > 0 ? error.rejected : [all] }
    }
    this.#log.error({ err: error, records: batch.size }, 'unexpected error during delivery; retrying')
    return { rejected: [] }
  }

  async #buryUntilKept(batch: LogBatch, reason: string, bury: Bury, signal: AbortSignal): Promise<void> {
    for (let retry = 0; ; retry++) {
      try {
        await bury(batch, reason, signal)
        return
      } catch (error) {
        signal.throwIfAborted()
        this.#log.error({ err: error, records: batch.size }, 'dead letters could not be kept; trying again')
        await pause(backoff(this.#settings.retry_on_failure, retry), signal)
      }
    }
  }

  #delivered(batch: LogBatch, records: number): void {
    if (records === 0) return
    this.#metrics.sent.inc(records)
    const now = Date.now()
    for (const observed of batch.observedMs) this.#metrics.latency.observe(Math.max(0, now - observed) / 1000)
  }
}

function senderMetrics(metrics: ComponentMetrics, inFlight: () => number) {
  metrics.gauge(
    'otelcol_exporter_in_flight_requests',
    'Requests under way to the destination.',
    { data_type: 'logs' },
    inFlight,
  )
  const failedAttempts = (reason: string) =>
    metrics.counter(
      'sluice_exporter_failed_attempts_total',
      'Attempts of which something is tried again, by reason.',
      { reason },
    )
  // There from the beginning, so that the first one is an increase.
  failedAttempts(UNAUTHORIZED)
  return {
    failedAttempts: (reason: string) => failedAttempts(reason).inc(),
    sent: metrics.counter(
      'otelcol_exporter_sent_log_records',
      'Log records the destination took, those it had already included.',
    ),
    failed: metrics.counter(
      'otelcol_exporter_send_failed_log_records',
      'Log records in attempts that failed; a buffered record is tried again and counts each time.',
    ),
    latency: metrics.histogram(
      'sluice_end_to_end_latency_seconds',
      'From the oldest observed time in a request to its delivery.',
      LATENCY_BUCKETS,
    ),
    attempts: metrics.histogram(
      'sluice_exporter_attempt_duration_seconds',
      'One attempt to deliver.',
      ATTEMPT_BUCKETS,
    ),
  }
}
