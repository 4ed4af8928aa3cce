import type { BoundCounter, ComponentMetrics } from '../../../src/telemetry/metrics.ts'

/** What a consumer counts. */
export class ConsumerCounters {
  readonly #acked: BoundCounter
  readonly #undecodable: BoundCounter
  readonly #deadRecords: BoundCounter
  readonly #dead: Readonly<Record<'undecodable' | 'deliveries', BoundCounter>>

  constructor(metrics: ComponentMetrics, group: string) {
    this.#acked = metrics.counter(
      'sluice_buffer_acked_log_records_total',
      'Log records that left the buffer as delivered.',
      { group },
    )
    this.#undecodable = metrics.counter(
      'sluice_buffer_undecodable_elements_total',
      'Elements that were no batches, and went to the dead letters as they were.',
      { group },
    )
    this.#deadRecords = metrics.counter(
      'sluice_dead_letter_log_records_total',
      'Log records put in the dead-letter queue.',
      { pipeline: group },
    )
    const dead = (reason: string): BoundCounter =>
      metrics.counter(
        'sluice_dead_letter_elements_total',
        'Elements put in the dead-letter queue as they were, by reason: `undecodable`, or `deliveries` for too many.',
        { pipeline: group, reason },
      )
    this.#dead = { undecodable: dead('undecodable'), deliveries: dead('deliveries') }
  }

  acked(records: number): void {
    this.#acked.inc(records)
  }

  undecodable(): void {
    this.#undecodable.inc()
    this.#dead.undecodable.inc()
  }

  poisoned(elements: number, records: number): void {
    this.#dead.deliveries.inc(elements)
    this.#deadRecords.inc(records)
  }
}
