import { join } from 'node:path'
import type { Codec } from '../../src/buffer/codec.ts'
import type { DeadLetters as Letters } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import { makeDirectory } from '../../src/files.ts'
import type { DiskConfig } from './config.ts'
import { Log, segmentBytes } from './log.ts'
import { LogReader } from './log-reader.ts'
import type { Position } from './position.ts'
import type { Quarantine } from './quarantine.ts'
import { type Place, Removed } from './removed.ts'
import type { StoredElement } from './segment.ts'

const DIRECTORY = 'dead'
const LOOK_MS = 60_000

/** What the letters share with the rest of the folder. */
interface Surroundings {
  readonly codec: Codec
  readonly quarantine: Quarantine
  /** Told when a segment is given up because it could not be made durable. */
  readonly fenced: () => void
}

/**
 * Keeps what no destination will take, in a log of its own, until somebody takes it out by hand. Beyond
 * `max_dead_letter_bytes` the oldest go, a segment at a time, counted: to refuse the new ones instead would hold up the records that destinations do take.
 */
export class DeadLetters {
  readonly #log: Log
  readonly #config: DiskConfig
  readonly #context: ComponentContext
  readonly #quarantine: Quarantine
  readonly #timer: NodeJS.Timeout
  readonly #codec: Codec
  readonly #removed: Removed
  /** Being taken out. */
  readonly #leaving = new Set<number>()
  #tidying: Promise<void> | undefined
  /** Two that delete segments at once would take the wrong ones. */
  #deleting: Promise<unknown> = Promise.resolve()
  /** All letters before it are removed. */
  #first = 0

  private constructor(
    log: Log,
    removed: Removed,
    config: DiskConfig,
    context: ComponentContext,
    surroundings: Surroundings,
  ) {
    this.#log = log
    this.#removed = removed
    this.#config = config
    this.#context = context
    this.#quarantine = surroundings.quarantine
    this.#codec = surroundings.codec
    this.#timer = setInterval(() => void this.#tidy(), LOOK_MS).unref()
  }

  static async open(
    config: DiskConfig,
    context: ComponentContext,
    surroundings: Surroundings,
  ): Promise<DeadLetters> {
    const directory = join(config.directory, DIRECTORY)
    await makeDirectory(directory)
    const removed = await Removed.open(directory)
    try {
      const log = await Log.open({
        directory,
        segmentBytes: segmentBytes(config.segment_size, config.max_dead_letter_bytes),
        atLeast: removed.end,
        log: context.log,
        quarantine: surroundings.quarantine,
        fenced: surroundings.fenced,
      })
      await removed.forget(log.start)
      const letters = new DeadLetters(log, removed, config, context, surroundings)
      await letters.#trim()
      await letters.#tidy()
      return letters
    } catch (error) {
      await removed.close()
      throw error
    }
  }

  /** What is kept. */
  get held(): Position {
    const { start, end } = this.#log
    const removed = this.#removed.since(start)
    return {
      elements: end.elements - start.elements - removed.elements,
      records: end.records - start.records - removed.records,
      bytes: end.bytes - start.bytes - removed.bytes,
    }
  }

  /** The number of the next letter. */
  get end(): number {
    return this.#log.end.elements
  }

  /** The letters of numbers in `[from, end)` that are there when their turn comes. */
  async *read(from: number, end: number): AsyncGenerator<StoredElement, void, undefined> {
    const reader = new LogReader(this.#log, from)
    try {
      for (let found = await reader.next(); found; found = await reader.next()) {
        if (found.position.elements >= end) return
        if (!this.#removed.has(found.position.elements)) yield found
      }
    } finally {
      await reader.end()
    }
  }

  /** Takes a letter out, after `move` has put it where it goes. False when it is not there, or on its way already. */
  async remove(place: Place, move: () => Promise<void>): Promise<boolean> {
    const { elements: number } = place.position
    const isHere = number >= this.#log.start.elements && number < this.#log.end.elements
    if (!isHere || this.#removed.has(number) || this.#leaving.has(number)) return false
    this.#leaving.add(number)
    try {
      await move()
      await this.#removed.add(place)
    } finally {
      this.#leaving.delete(number)
    }
    await this.#trim()
    return true
  }

  /** What they take on the disk. */
  get bytes(): number {
    return this.#log.bytes
  }

  /** Resolves once the letters, which must have been identified, are durable. */
  async bury({ batch, reason, pipeline }: Letters): Promise<void> {
    const pieces = batch.encode(this.#config.element_size, { reason, pipeline, buriedMs: Date.now() })
    const appended = pieces.map(({ bytes, records }) =>
      this.#log.append({ bytes: this.#codec.pack(bytes), records }),
    )
    await Promise.all(appended)
    this.#count(batch.size, pipeline)
  }

  /** Resolves once an element is durable that could not be opened: just as it was. */
  async buryRaw({ payload, records }: StoredElement, pipeline: string): Promise<void> {
    await this.#log.append({ bytes: payload, records })
    this.#count(records, pipeline)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#tidying
    await this.#deleting
    await this.#log.close()
    await this.#removed.close()
  }

  /** Deletes segments that nothing is kept in. */
  async #trim(): Promise<void> {
    this.#first = Math.max(this.#first, this.#log.start.elements)
    while (this.#removed.has(this.#first)) this.#first++
    await this.#inTurn(() => this.#log.trimAll(this.#first))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#deleting.then(work)
    this.#deleting = done.catch(() => {})
    return done
  }

  #count(records: number, pipeline: string): void {
    this.#context.metrics
      .counter('sluice_dead_letter_log_records_total', 'Log records put in the dead-letter queue.', {
        pipeline,
      })
      .inc(records)
    if (this.#isTooLarge) void this.#tidy()
  }

  get #isTooLarge(): boolean {
    const { max_dead_letter_bytes } = this.#config
    return max_dead_letter_bytes > 0 && this.#log.bytes > max_dead_letter_bytes
  }

  /** Drops what is too much or too old. Never rejects. */
  #tidy(): Promise<void> {
    this.#tidying ??= this.#dropAll()
      .catch((err: unknown) => {
        this.#context.log.warn({ err }, 'old dead letters could not be dropped')
      })
      .finally(() => {
        this.#tidying = undefined
      })
    return this.#tidying
  }

  async #dropAll(): Promise<void> {
    while (this.#isTooLarge && (await this.#drop('full')));
    while ((await this.#isOld()) && (await this.#drop('age')));
    await this.#quarantine.tidy(this.#config.directory)
  }

  async #isOld(): Promise<boolean> {
    const { max_dead_letter_age } = this.#config
    const oldest = max_dead_letter_age === 0 ? undefined : await this.#log.oldestMs()
    return oldest !== undefined && Date.now() - oldest > max_dead_letter_age
  }

  /** Whether there was something to drop. */
  async #drop(reason: 'full' | 'age'): Promise<boolean> {
    const { start } = this.#log
    const { elements, records: gone } = await this.#inTurn(() => this.#log.dropOldest())
    if (elements === 0) return false
    // What was taken out by hand is not dropped.
    const records = gone - (this.#removed.since(start).records - this.#removed.since(this.#log.start).records)
    await this.#removed.forget(this.#log.start)
    this.#context.metrics
      .counter('sluice_dead_letter_dropped_log_records_total', 'Log records dropped from the dead letters.', {
        reason,
      })
      .inc(records)
    this.#context.log.warn({ records, reason }, 'the oldest dead letters were dropped')
    return true
  }
}
