import { packElement } from '../../../src/buffer/element.ts'
import { type Element, GroupCommit } from '../../../src/buffer/group-commit.ts'
import { unlessAborted } from '../../../src/buffer/unless-aborted.ts'
import { type DeadLetters, RetryableError } from '../../../src/component.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import { FULL_RETRY_AFTER } from '../connection/errors.ts'
import type { Keys } from './keys.ts'
import { BURY, PUSH } from './scripts.ts'

/** Lets batches in, or says why not. */
export interface Admission {
  /**
   * The identity key, for a batch that may be pushed to this run of the server.
   * @throws RetryableError when nothing may be pushed
   */
  admit(server: string | undefined): Buffer
  /**
   * The identity key.
   * @throws RetryableError while it is unknown
   */
  identity(): Buffer
}

export interface ProducerOptions {
  readonly client: RedisClient
  readonly keys: Keys
  readonly groups: readonly string[]
  readonly config: RedisConfig
  readonly admission: Admission
  readonly metrics: ComponentMetrics
}

/** Writes batches into the queue of every group, and dead letters into theirs. */
export class Producer {
  readonly #options: ProducerOptions
  readonly #commit: GroupCommit
  readonly #pending = new Set<Promise<void>>()
  readonly #destinations: readonly string[]
  readonly #pushed: { inc(n?: number): void }
  #stopping = false

  constructor(options: ProducerOptions) {
    this.#options = options
    const { config, groups, keys, metrics } = options
    this.#destinations = groups.flatMap((group) => [keys.queue(group), keys.stats(group)])
    this.#commit = new GroupCommit({
      elementBytes: config.element_size,
      lingerMs: config.linger,
      compression: config.compression,
      maxPendingBytes: config.max_pending,
      write: (element) => this.#write(element),
    })
    this.#pushed = metrics.counter(
      'sluice_buffer_pushed_log_records_total',
      'Log records made durable in the buffer.',
    )
    metrics.gauge(
      'sluice_buffer_pending_bytes',
      'Bytes on their way to the buffer, not yet acknowledged.',
      {},
      () => this.#commit.pendingBytes,
    )
  }

  /** Resolves once Redis has the batch in every group's queue. Throws RetryableErrors. */
  async push(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const records = batch.size
    if (records === 0) return
    try {
      if (this.#destinations.length === 0) {
        throw new RetryableError('no pipeline reads from the buffer', { reason: 'unread' })
      }
      if (signal.aborted) throw new RetryableError('the sender has gone', { reason: 'cancelled' })
      if (this.#stopping) throw new RetryableError('the buffer is stopping', { reason: 'stopping' })
      batch.identify(this.#options.admission.admit(this.#options.client.server))
      const added = this.#commit.add(batch)
      this.#pending.add(added)
      await added.finally(() => this.#pending.delete(added))
    } catch (error) {
      this.#refused(error instanceof RetryableError ? error.reason : 'error', records)
      throw error
    }
    this.#pushed.inc(records)
  }

  /** Resolves once Redis has the letters. Full or not, it takes them. */
  async bury({ batch, reason, pipeline }: DeadLetters): Promise<void> {
    const { client, keys, config, admission, metrics } = this.#options
    const records = batch.size
    if (records === 0) return
    batch.identify(admission.identity())
    const pieces = batch.encode(config.element_size, { reason, pipeline, buriedMs: Date.now() })
    const elements = pieces.map((piece) => packElement(piece.bytes, config.compression))
    await client.run(BURY, [keys.dead, keys.deadStats], [records, ...elements])
    metrics
      .counter('sluice_dead_letter_log_records_total', 'Log records put in the dead-letter queue.', {
        pipeline,
      })
      .inc(records)
  }

  /** Takes no more, and waits for what is on its way. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true
    this.#commit.flush()
    await unlessAborted(Promise.allSettled(this.#pending), deadline)
  }

  async #write({ bytes, records }: Element): Promise<void> {
    const { client, config } = this.#options
    const accepted = await client.run(PUSH, this.#destinations, [bytes, records, config.max_bytes])
    if (accepted === 1) return
    throw new RetryableError(`${client.address} holds max_bytes of ${config.stream} already`, {
      reason: 'full',
      retryAfter: FULL_RETRY_AFTER,
    })
  }

  #refused(reason: string, records: number): void {
    this.#options.metrics
      .counter('sluice_buffer_refused_log_records_total', 'Log records the buffer did not take, by reason.', {
        reason,
      })
      .inc(records)
  }
}
