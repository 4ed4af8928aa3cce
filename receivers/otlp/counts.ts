import type { BoundCounter, ComponentMetrics } from '../../src/telemetry/metrics.ts'
import type { Outcome } from './outcome.ts'

/** Counts every request of one transport once, whatever becomes of it. The names are the Collector's. */
export class Counts {
  readonly #accepted: BoundCounter
  readonly #refused: BoundCounter
  readonly #failed: BoundCounter
  readonly #requests: Record<'success' | 'refused' | 'failure', BoundCounter>
  readonly #rejected = new Map<string, BoundCounter>()
  readonly #bindRejected: (reason: string) => BoundCounter

  constructor(metrics: ComponentMetrics, transport: 'grpc' | 'http') {
    const records = (outcome: string, what: string): BoundCounter =>
      metrics.counter(`otelcol_receiver_${outcome}_log_records`, `Log records ${what}.`, { transport })
    const requests = (outcome: string): BoundCounter =>
      metrics.counter('otelcol_receiver_requests', 'Requests by what became of them.', { transport, outcome })
    this.#accepted = records('accepted', 'that were taken and acknowledged')
    this.#refused = records('refused', 'that the client was told to send again')
    this.#failed = records('failed', 'that were turned away for good')
    this.#requests = {
      success: requests('success'),
      refused: requests('refused'),
      failure: requests('failure'),
    }
    this.#bindRejected = (reason) =>
      metrics.counter('sluice_receiver_rejected_requests_total', 'Requests not taken, by reason.', {
        transport,
        reason,
      })
  }

  /** `records`: how many the request holds, 0 when it could not be read. */
  count(outcome: Outcome, records: number): void {
    if (outcome.ok) {
      this.#requests.success.inc()
      this.#accepted.inc(records - outcome.rejected)
      this.#failed.inc(outcome.rejected)
      return
    }
    const retry = outcome.retryMs !== undefined
    this.#requests[retry ? 'refused' : 'failure'].inc()
    if (retry) this.#refused.inc(records)
    else this.#failed.inc(records)
    this.#countRejected(outcome.reason)
  }

  #countRejected(reason: string): void {
    let counter = this.#rejected.get(reason)
    if (counter === undefined) this.#rejected.set(reason, (counter = this.#bindRejected(reason)))
    counter.inc()
  }
}
