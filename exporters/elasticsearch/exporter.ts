import { type Exporter, PermanentError } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { DeliverySettings } from '../../src/delivery/config.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { BulkRenderer } from './bulk.ts'
import { BulkClient } from './bulk-client.ts'
import { BulkSender } from './bulk-sender.ts'
import { Client } from './client/client.ts'
import { sniff } from './client/sniffer.ts'
import { defaultMode, type ElasticsearchConfig, targetOptions } from './config.ts'
import { checkDeadLetters } from './dead-letter-check.ts'
import { DeadLetters } from './dead-letters.ts'
import type { FieldWatch } from './fields/field-watch.ts'
import { watchFields } from './fields/index.ts'
import { LevelNamespaces } from './level-namespaces.ts'
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
export class ElasticsearchExporter implements Exporter {
  readonly #settings: ElasticsearchConfig
  readonly #context: ComponentContext
  readonly #client: Client
  readonly #bulk: BulkClient
  readonly #targets: Targets
  readonly #sender: BulkSender
  readonly #onStart: SetupOnStart | undefined
  readonly #stopping = new AbortController()
  /** Where the settings have it keep what is refused. */
  readonly bury?: NonNullable<Exporter['bury']>

  constructor(settings: ElasticsearchConfig & DeliverySettings, context: ComponentContext) {
    const { id, log, metrics } = context
    this.#settings = settings
    this.#context = context
    // So that a request that one node does not answer still has the time for another.
    this.#client = new Client(settings, { log, metrics, patience: settings.timeout / 2 })
    this.#bulk = new BulkClient(this.#client, settings)
    this.#targets = new Targets(targetOptions(settings))
    const fields = watchFields(settings.field_watch, context)
    const renderer = this.#newRenderer(fields.watch)
    this.#sender = new BulkSender({ client: this.#bulk, renderer, targets: this.#targets, fields }, context)
    if (settings.dead_letters !== undefined) {
      const dataStream = settings.dead_letters.data_stream
      const own = { client: this.#bulk, renderer: this.#newRenderer() }
      const letters = new DeadLetters({ ...own, dataStream, exporter: id, log, metrics })
      this.bury = (refused, signal) => letters.bury(refused, signal)
    }
    if (settings.setup.on_start) {
      const { signal } = this.#stopping
      this.#onStart = new SetupOnStart(() => setupOf(settings, { log, signal }), context)
    }
  }

  async start(): Promise<void> {
    const [config, client] = [this.#settings, this.#client]
    const { log } = this.#context
    const { signal } = this.#stopping
    const unlessStopping = (error: unknown): void => {
      if (!signal.aborted) log.error({ err: error }, 'unexpected error while asking the server')
    }
    this.#onStart?.done().catch(() => {})
    const parts = { client, bulk: this.#bulk, targets: this.#targets, config }
    checkServer(parts, this.#context, signal).catch(unlessStopping)
    sniff(client, config.discover, log, signal).catch(unlessStopping)
    const { dead_letters } = config
    if (dead_letters !== undefined) void checkDeadLetters(client, dead_letters.data_stream, log, signal)
  }

  async export(batch: LogBatch, signal: AbortSignal): Promise<void> {
    await this.#onStart?.done()
    const rejected = await this.#sender.send(batch, signal)
    if (rejected.length > 0) throw new PermanentError(rejected[0].reason, { rejected })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#bulk.close()
  }

  #newRenderer(watch?: FieldWatch): BulkRenderer {
    const { document_id, level_namespaces, logs_dynamic_id, mapping } = this.#settings
    const mappings = new Mappings({ mode: defaultMode(this.#settings), allowed: mapping.allowed_modes })
    const attribute = logs_dynamic_id.enabled || document_id === 'attribute'
    const ids = { attribute, batch: document_id !== 'none' }
    const levels = level_namespaces && new LevelNamespaces(level_namespaces)
    return new BulkRenderer(this.#targets, mappings, ids, { watch, levels })
  }
}
