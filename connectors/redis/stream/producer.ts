import type { Codec } from '../../../src/buffer/codec.ts'
import { type Element, GroupCommit } from '../../../src/buffer/group-commit.ts'
import { unlessAborted } from '../../../src/buffer/unless-aborted.ts'
import { type DeadLetters, RetryableError } from '../../../src/component.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { divideByResource, nameResources } from '../../../src/logs/resources.ts'
import type { BoundCounter, ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import type { DurableWriter } from '../connection/durable.ts'
import type { DurableWriters } from '../connection/writers.ts'
import type { Keys } from './keys.ts'
import type { Naming } from './naming.ts'
import { OVERFLOW, type Registry } from './registry.ts'
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
  /** The batch, or a fork of it without the records that give way to others as the buffer fills. */
  shed(batch: LogBatch): LogBatch
  /** Counts a write from its start; call what it returns once it was answered. */
  writing(bytes: number, records: number): () => void
  /** Hears what a push met, and returns what to tell the sender. */
  met(error: unknown): unknown
}

export interface ProducerOptions {
  readonly client: RedisClient
  /** Writes to the server of a stream, and waits until that is durable. */
  readonly durable: DurableWriters
  readonly naming: Naming
  readonly registry: Registry
  readonly config: RedisConfig
  readonly codec: Codec
  readonly admission: Admission
  readonly metrics: ComponentMetrics
}

/** The way into one stream. */
interface Lane {
  readonly keys: Keys
  readonly writer: DurableWriter
  /** Queue and stats of every group. */
  readonly destinations: readonly string[]
  readonly commit: GroupCommit
  usedAt: number
}

/** A way that nobody went for so long, milliseconds, is closed: its buffer is memory. */
const LANE_IDLE = 60_000

/** Writes batches into the queue of every group, and dead letters into theirs. */
export class Producer {
  readonly #options: ProducerOptions
  /** By stream. */
  readonly #lanes = new Map<string, Lane>()
  readonly #pending = new Set<Promise<void>>()
  readonly #pushed: BoundCounter
  readonly #overflowed: BoundCounter
  #stopping = false

  constructor(options: ProducerOptions) {
    this.#options = options
    const { metrics } = options
    this.#pushed = metrics.counter(
      'sluice_buffer_pushed_log_records_total',
      'Log records made durable in the buffer.',
    )
    this.#overflowed = metrics.counter(
      'sluice_buffer_overflow_log_records_total',
      'Log records pushed to the overflow stream, because there were max_streams already.',
    )
    metrics.gauge(
      'sluice_buffer_pending_bytes',
      'Bytes on their way to the buffer, not yet acknowledged.',
      {},
      () => this.#pendingBytes(),
    )
  }

  /** Resolves once Redis has the batch in every group's queue. Throws RetryableErrors. */
  async push(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const { admission, client } = this.#options
    const records = batch.size
    if (records === 0) return
    try {
      if (this.#options.naming.groups.length === 0) {
        throw new RetryableError('no pipeline reads from the buffer', { reason: 'unread' })
      }
      if (signal.aborted) throw new RetryableError('the sender has gone', { reason: 'cancelled' })
      if (this.#stopping) throw new RetryableError('the buffer is stopping', { reason: 'stopping' })
      batch.identify(admission.admit(client.server))
      const kept = admission.shed(batch)
      const added = this.#add(kept)
      this.#pending.add(added)
      await added.finally(() => this.#pending.delete(added))
      this.#pushed.inc(kept.size)
      // Only now: what was refused comes again.
      if (kept !== batch) this.#shed(kept.takeDrops())
    } catch (met) {
      const error = admission.met(met)
      this.#refused(error instanceof RetryableError ? error.reason : 'error', records)
      throw error
    }
  }

  /** Resolves once Redis has the letters. Full or not, it takes them. */
  async bury({ batch, reason, pipeline }: DeadLetters): Promise<void> {
    const { durable, config, codec, admission, metrics } = this.#options
    const records = batch.size
    if (records === 0) return
    batch.identify(admission.identity())
    await this.#perStream(batch, async (part, { dead, deadStats }) => {
      const pieces = part.encode(config.element_size, { reason, pipeline, buriedMs: Date.now() })
      const elements = pieces.map((piece) => codec.pack(piece.bytes))
      await durable.at(dead).run(BURY, [dead, deadStats], [part.size, ...elements])
    })
    metrics
      .counter('sluice_dead_letter_log_records_total', 'Log records put in the dead-letter queue.', {
        pipeline,
      })
      .inc(records)
  }

  /** Takes no more, and waits for what is on its way. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true
    for (const { commit } of this.#lanes.values()) commit.flush()
    await unlessAborted(Promise.allSettled(this.#pending), deadline)
  }

  /** Resolves once every part of the batch is durable in its stream. */
  #add(batch: LogBatch): Promise<void> {
    const { naming, config } = this.#options
    if (naming.template.fixed !== undefined) return this.#lane(naming.template.fixed).commit.add(batch)
    const pending = this.#pendingBytes()
    if (pending > 0 && pending + batch.byteLength > config.max_pending) {
      throw new RetryableError('more is on its way to the buffer than it can take at once', {
        reason: 'busy',
      })
    }
    return this.#perStream(batch, (part, { stream }) => this.#lane(stream).commit.add(part))
  }

  /**
   * Divides a batch among the streams its resources belong to, and registers these for as long as it takes that what
   * is written can be found. Throws only after all parts have been tried.
   */
  async #perStream(batch: LogBatch, write: (part: LogBatch, keys: Keys) => Promise<void>): Promise<void> {
    const { naming, registry } = this.#options
    const { template } = naming
    if (template.fixed !== undefined) return write(batch, naming.keys(template.fixed))
    const names = nameResources(batch, (resource) => template.render(resource))
    // Before it is divided: a batch may hold any number of names, but not of streams.
    const admitted = new Map<string, string>()
    for (const name of new Set(names)) admitted.set(name, await registry.admit(name))
    const parts = divideByResource(
      batch,
      names.map((name) => admitted.get(name) ?? name),
    )
    const outcomes = await Promise.allSettled(
      [...parts].map(async ([stream, part]) => {
        await write(part, naming.keys(stream))
        await registry.confirm(stream)
        if (stream === OVERFLOW) this.#overflowed.inc(part.size)
      }),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return undefined
  }

  #lane(stream: string): Lane {
    const now = performance.now()
    let lane = this.#lanes.get(stream)
    if (lane === undefined) {
      for (const [name, { commit, usedAt }] of this.#lanes) {
        if (commit.pendingBytes === 0 && now - usedAt > LANE_IDLE) this.#lanes.delete(name)
      }
      this.#lanes.set(stream, (lane = this.#openLane(stream)))
    }
    lane.usedAt = now
    return lane
  }

  #openLane(stream: string): Lane {
    const { config, codec, durable, naming } = this.#options
    const keys = naming.keys(stream)
    const commit = new GroupCommit({
      elementBytes: config.element_size,
      lingerMs: config.linger,
      pack: (requests) => codec.pack(requests),
      maxPendingBytes: config.max_pending,
      write: (element) => this.#write(lane, element),
    })
    const destinations = naming.groups.flatMap((group) => [keys.queue(group), keys.stats(group)])
    const lane = { keys, writer: durable.at(keys.dead), destinations, commit, usedAt: 0 }
    return lane
  }

  #pendingBytes(): number {
    let bytes = 0
    for (const { commit } of this.#lanes.values()) bytes += commit.pendingBytes
    return bytes
  }

  async #write({ keys, writer, destinations }: Lane, { bytes, records }: Element): Promise<void> {
    const { admission, client, config } = this.#options
    const written = admission.writing(bytes.length, records)
    try {
      const limits = [config.max_bytes, config.max_records]
      const accepted = await writer.run(PUSH, destinations, [bytes, records, ...limits])
      if (accepted === 1) return
    } finally {
      written()
    }
    const message = `${client.address} holds as much of ${keys.stream} as max_bytes or max_records allow`
    throw new RetryableError(message, { reason: 'full' })
  }

  #shed(drops: ReadonlyMap<string, number>): void {
    for (const [reason, records] of drops) {
      this.#options.metrics
        .counter('sluice_dropped_log_records_total', 'Log records that were left out, by reason.', { reason })
        .inc(records)
    }
  }

  #refused(reason: string, records: number): void {
    this.#options.metrics
      .counter('sluice_buffer_refused_log_records_total', 'Log records the buffer did not take, by reason.', {
        reason,
      })
      .inc(records)
  }
}
