import type { ComponentMetrics } from '../../src/telemetry/metrics.ts'
import type { BulkOutcome } from './answer.ts'
import type { Bulk } from './bulk.ts'

const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What the exporter counts, with the Collector's names where it has them. */
export class BulkMetrics {
  readonly #metrics: ComponentMetrics
  readonly #succeeded
  readonly #failed
  readonly #documents
  readonly #bytes
  readonly #latency

  constructor(metrics: ComponentMetrics) {
    this.#metrics = metrics
    const requests = (outcome: string) =>
      metrics.counter('otelcol_elasticsearch_bulk_requests_count', 'Bulk requests, by outcome.', { outcome })
    const documents = (outcome: string) =>
      metrics.counter('otelcol_elasticsearch_docs_processed', 'Documents, by what Elasticsearch said.', {
        outcome,
      })
    this.#succeeded = requests('success')
    this.#failed = requests('failed')
    this.#documents = {
      created: documents('success'),
      duplicate: documents('duplicate'),
      redirected: documents('failure_store'),
      tooMany: documents('too_many'),
      serverFault: documents('failed_server'),
      refused: documents('failed_client'),
    }
    this.#bytes = metrics.counter('otelcol_elasticsearch_flushed_uncompressed_bytes', 'Bytes of bulk bodies.')
    this.#latency = metrics.histogram(
      'otelcol_elasticsearch_bulk_requests_latency',
      'Seconds until Elasticsearch answered.',
      LATENCY_BUCKETS,
    )
  }

  requestFailed(): void {
    this.#failed.inc()
  }

  /** A request that held one document alone. */
  recordRefused(): void {
    this.#documents.refused.inc()
  }

  /** `bytes` are about to go out. Returns what to call when they were answered. */
  requestStarted(bytes: number): () => void {
    this.#bytes.inc(bytes)
    const started = performance.now()
    return () => this.#latency.observe((performance.now() - started) / 1000)
  }

  /** `refused` documents are given up, `retried` sent again. */
  requestSettled(outcome: BulkOutcome, { refused, retried }: { refused: number; retried: number }): void {
    const { created, duplicates, redirected, notEnabled, redirectFailed, retryStatus } = outcome
    this.#succeeded.inc()
    this.#documents.created.inc(created - redirected)
    this.#documents.redirected.inc(redirected)
    this.#documents.duplicate.inc(duplicates)
    this.#documents.refused.inc(refused)
    const again = retryStatus === 429 ? this.#documents.tooMany : this.#documents.serverFault
    again.inc(retried)
    this.#failureStore('used', redirected)
    this.#failureStore('not_enabled', notEnabled)
    this.#failureStore('failed', redirectFailed)
  }

  /** Counts what rendering did, once it is settled what becomes of it. */
  rendered({ missing, clashes }: Bulk): void {
    for (const [reason, records] of missing) {
      this.#metrics
        .counter(
          'sluice_elasticsearch_missing_documents_total',
          'Records that became no document, by reason.',
          { reason },
        )
        .inc(records)
    }
    for (const [reason, fields] of clashes) {
      this.#metrics
        .counter(
          'sluice_elasticsearch_field_clashes_total',
          'Fields that did not get the name they asked for, by reason.',
          { reason },
        )
        .inc(fields)
    }
  }

  #failureStore(result: string, documents: number): void {
    if (documents === 0) return
    this.#metrics
      .counter(
        'sluice_elasticsearch_failure_store_total',
        'Documents that a data stream refused: in its failure store (used), refused by that as well (failed), or given back for want of one (not_enabled).',
        { result },
      )
      .inc(documents)
  }
}
