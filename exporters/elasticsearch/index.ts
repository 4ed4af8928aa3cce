import { type Exporter, PermanentError, type Rejection, RetryableError } from '../../src/component.ts'
import { defineExporter } from '../../src/define.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { isRetryable, readAnswer } from './answer.ts'
import { type Bulk, BulkRenderer } from './bulk.ts'
import { BulkClient } from './bulk-client.ts'
import { config, defaultMode, targetOptions } from './config.ts'
import { afterFirst, withRest } from './halves.ts'
import { Mappings } from './mappings.ts'
import { checkServer } from './server-check.ts'
import { Targets } from './target.ts'

const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * Delivers with `_bulk` and `create`. Each document is settled by its own status: 2xx and 409 are delivered, 429,
 * 5xx and missing rights are tried again, any other refusal is final for that record alone.
 */
export const elasticsearch = defineExporter({
  type: 'elasticsearch',
  summary: 'Delivers to Elasticsearch data streams by bulk requests, with ids that make retries harmless.',
  config,
  example: { endpoint: 'http://127.0.0.1:9200' },

  create(settings, { log, metrics, health }): Exporter {
    const client = new BulkClient(settings)
    const { document_id } = settings
    const targets = new Targets(targetOptions(settings))
    const mappings = new Mappings({ mode: defaultMode(settings), allowed: settings.mapping.allowed_modes })
    const renderer = new BulkRenderer(targets, mappings, {
      attribute: settings.logs_dynamic_id.enabled || document_id === 'attribute',
      batch: document_id !== 'none',
    })
    const requests = (outcome: string) =>
      metrics.counter('otelcol_elasticsearch_bulk_requests_count', 'Bulk requests, by outcome.', { outcome })
    const documents = (outcome: string) =>
      metrics.counter('otelcol_elasticsearch_docs_processed', 'Documents, by what Elasticsearch said.', {
        outcome,
      })
    const succeeded = requests('success')
    const failed = requests('failed')
    const created = documents('success')
    const duplicates = documents('duplicate')
    const tooMany = documents('too_many')
    const serverFault = documents('failed_server')
    const refused = documents('failed_client')
    const bytes = metrics.counter('otelcol_elasticsearch_flushed_uncompressed_bytes', 'Bytes of bulk bodies.')
    const latency = metrics.histogram(
      'otelcol_elasticsearch_bulk_requests_latency',
      'Seconds until Elasticsearch answered.',
      LATENCY_BUCKETS,
    )
    const stopping = new AbortController()

    /** Counts what rendering did, once it is settled what becomes of it. */
    function countRendering({ missing, clashes }: Bulk): void {
      for (const [reason, records] of missing) {
        metrics
          .counter(
            'sluice_elasticsearch_missing_documents_total',
            'Records that became no document, by reason.',
            { reason },
          )
          .inc(records)
      }
      for (const [reason, fields] of clashes) {
        metrics
          .counter(
            'sluice_elasticsearch_field_clashes_total',
            'Fields that did not get the name they asked for, by reason.',
            { reason },
          )
          .inc(fields)
      }
    }

    /** Sends one bulk and returns what Elasticsearch refused for good. */
    async function send(batch: LogBatch, signal: AbortSignal): Promise<readonly Rejection[]> {
      const bulk = renderer.render(batch)
      if (bulk.records.length === 0) {
        countRendering(bulk)
        return bulk.rejected
      }
      bytes.inc(bulk.body.length)
      const started = performance.now()
      const response = await client.send(bulk.body, signal).catch((error: unknown) => {
        failed.inc()
        health('degraded', error instanceof Error ? error.message : undefined)
        throw error
      })
      latency.observe((performance.now() - started) / 1000)
      const { status, retryAfter, node } = response
      if (status !== 200) {
        failed.inc()
        if ((status === 413 || status === 400) && batch.size > 1) return await sendHalves(batch, signal)
        if (status === 413 || status === 400) {
          countRendering(bulk)
          refused.inc()
          return [{ records: batch.indices(), reason: `${node} answered ${status} to this record alone` }]
        }
        const reason = status === 401 || status === 403 ? 'unauthorized' : `status_${status}`
        health(isRetryable(status) && status >= 429 ? 'degraded' : 'failed', `${node} answered ${status}`)
        throw new RetryableError(`${node} answered ${status}`, {
          reason,
          ...(retryAfter && { retryAfter }),
        })
      }
      const outcome = readAnswer(response.body, bulk.records)
      if (outcome === undefined) {
        failed.inc()
        throw new RetryableError(`${node} answered 200 with something that is no bulk response`, {
          reason: 'bad_answer',
        })
      }
      succeeded.inc()
      countRendering(bulk)
      health('ok')
      created.inc(outcome.created)
      duplicates.inc(outcome.duplicates)
      const rejected = [...bulk.rejected, ...outcome.rejected]
      refused.inc(rejected.reduce((sum, { records }) => sum + records.length, 0))
      if (outcome.retry.length > 0) {
        const counter = outcome.retryStatus === 429 ? tooMany : serverFault
        counter.inc(outcome.retry.length)
        throw new RetryableError(
          `${node} answered ${outcome.retryStatus} for ${outcome.retry.length} documents`,
          {
            reason: outcome.retryStatus === 429 ? 'too_many' : `status_${outcome.retryStatus}`,
            remaining: outcome.retry,
            rejected,
          },
        )
      }
      return rejected
    }

    /** A bulk too large, or refused as a whole, is halved until what is to blame stands alone. */
    async function sendHalves(batch: LogBatch, signal: AbortSignal): Promise<readonly Rejection[]> {
      const records = batch.indices()
      const middle = records.length >>> 1
      const first = await send(batch.select(records.slice(0, middle)), signal).catch((error: unknown) => {
        throw withRest(error, records.slice(middle))
      })
      const second = await send(batch.select(records.slice(middle)), signal).catch((error: unknown) => {
        throw afterFirst(error, records.slice(middle), first)
      })
      return [...first, ...second]
    }

    return {
      async start() {
        void checkServer(settings, targets, log, stopping.signal)
      },
      async stop() {
        stopping.abort()
        await client.close()
      },
      async export(batch, signal) {
        const rejected = await send(batch, signal)
        if (rejected.length > 0) throw new PermanentError(rejected[0].reason, { rejected })
      },
    }
  },
})
