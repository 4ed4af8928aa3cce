import { type Exporter, PermanentError } from '../../src/component.ts'
import { defineExporter } from '../../src/define.ts'
import { BulkRenderer } from './bulk.ts'
import { BulkClient } from './bulk-client.ts'
import { BulkSender } from './bulk-sender.ts'
import { Client } from './client/client.ts'
import { sniff } from './client/sniffer.ts'
import { config, defaultMode, targetOptions } from './config.ts'
import { DeadLetterArchive } from './dead-letter-archive.ts'
import { checkDeadLetters } from './dead-letter-check.ts'
import { DeadLetters } from './dead-letters.ts'
import { Mappings } from './mappings.ts'
import { checkServer } from './server-check.ts'
import { setupOf } from './setup/index.ts'
import { SetupOnStart } from './setup/on-start.ts'
import { Targets } from './target.ts'

/**
 * Delivers with `_bulk` and `create`. Each document is settled by its own status: 2xx and 409 are delivered, 429,
 * 5xx and missing rights are tried again, any other refusal is final for that record alone, unless the destination
 * takes no document at all.
 */
export const elasticsearch = defineExporter({
  type: 'elasticsearch',
  summary: 'Delivers to Elasticsearch or OpenSearch by bulk requests, with ids that make retries harmless.',
  config,
  example: { endpoint: 'http://127.0.0.1:9200' },
  setup: setupOf,

  letters(settings, { log }) {
    const { dead_letters } = settings
    return dead_letters && new DeadLetterArchive(new Client(settings, { log }), dead_letters.data_stream)
  },

  create(settings, context): Exporter {
    const { id, log, metrics } = context
    // So that a request that one node does not answer still has the time for another.
    const client = new Client(settings, { log, metrics, patience: settings.timeout / 2 })
    const bulk = new BulkClient(client, settings)
    const targets = new Targets(targetOptions(settings))
    const { document_id } = settings
    const newRenderer = () => {
      const mappings = new Mappings({ mode: defaultMode(settings), allowed: settings.mapping.allowed_modes })
      return new BulkRenderer(targets, mappings, {
        attribute: settings.logs_dynamic_id.enabled || document_id === 'attribute',
        batch: document_id !== 'none',
      })
    }
    const sender = new BulkSender({ client: bulk, renderer: newRenderer(), targets }, context)
    const dataStream = settings.dead_letters?.data_stream
    const letters =
      dataStream === undefined
        ? undefined
        : new DeadLetters({ dataStream, exporter: id, client: bulk, renderer: newRenderer(), log, metrics })
    const stopping = new AbortController()
    const onStart = settings.setup.on_start
      ? new SetupOnStart(() => setupOf(settings, { log, signal: stopping.signal }), context)
      : undefined
    const unlessStopping = (error: unknown): void => {
      if (!stopping.signal.aborted) log.error({ err: error }, 'unexpected error while asking the server')
    }

    return {
      async start() {
        const { signal } = stopping
        onStart?.done().catch(() => {})
        checkServer({ client, bulk, targets, config: settings }, context, signal).catch(unlessStopping)
        sniff(client, settings.discover, log, signal).catch(unlessStopping)
        if (dataStream !== undefined) void checkDeadLetters(client, dataStream, log, signal)
      },
      async stop() {
        stopping.abort()
        await bulk.close()
      },
      async export(batch, signal) {
        if (onStart) await onStart.done()
        const rejected = await sender.send(batch, signal)
        if (rejected.length > 0) throw new PermanentError(rejected[0].reason, { rejected })
      },
      ...(letters && { bury: (refused, signal) => letters.bury(refused, signal) }),
    }
  },
})
