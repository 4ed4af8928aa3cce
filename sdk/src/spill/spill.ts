import { randomBytes } from 'node:crypto'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Batch } from '../pipe/batch.ts'
import type { Tally } from '../pipe/tally.ts'
import { adoptSegments } from './adopt.ts'
import { Entry } from './entry.ts'
import { encodeEntry, entrySize, readSegment, type StoredBatch, segmentName } from './format.ts'
import type { SpillOptions } from './options.ts'
import { BEAT_MILLIS, beat, claim, disown, folderName, unclaim } from './owner.ts'
import { Segment } from './segment.ts'

const LARGEST_SEGMENT = 4 * 2 ** 20
const SMALLEST_SEGMENT = 64 * 1024
/** Segments are this part of the spill, since its room comes back by whole segments. */
const SEGMENTS = 8
/** After a write failed, the disk is left alone for so long. */
const REST_MILLIS = 1000

/** Segments of this process; they are in order even within a millisecond. */
let begun = 0

/** What its owner is told. */
export interface SpillEvents {
  /** What was on disk cannot be read. */
  damaged(lost: Tally, unreadableBytes: number): void
  warn(kind: string, message: string): void
}

/** A batch from the disk. */
export interface Replayed {
  readonly batch: StoredBatch
  readonly segment: Segment
}

/**
 * Batches on disk, with their exact bytes: in segment files of a folder of this process, below the directory that
 * processes share. What dead processes left there is taken over.
 */
export class Spill {
  readonly #options: SpillOptions
  readonly #events: SpillEvents
  readonly #segmentBytes: number
  readonly #heart: NodeJS.Timeout
  #folder: string
  /** In the order they were begun; the last may be the active one. */
  #segments: Segment[] = []
  /** Takes new entries. */
  #active: Segment | undefined
  /** Is to take no more, since it is about to be read. */
  #retired: Segment | undefined
  /** The first may be under way, to the target. */
  #waiting: Entry[] = []
  #target: Segment | undefined
  #busy = false
  #writing = Promise.resolve()
  #loaded: { readonly segment: Segment; readonly batches: StoredBatch[] } | undefined
  #restingUntil = 0

  /** @throws Error where the folder cannot be made */
  constructor(options: SpillOptions, events: SpillEvents) {
    this.#options = options
    this.#events = events
    this.#segmentBytes = Math.min(LARGEST_SEGMENT, Math.max(SMALLEST_SEGMENT, options.maxBytes / SEGMENTS))
    this.#folder = this.#makeFolder()
    this.#heart = setInterval(() => this.#beat(), BEAT_MILLIS).unref()
  }

  /** Bytes of its files, and of what is on the way there. */
  get bytes(): number {
    const stored = this.#segments.reduce((sum, { end }) => sum + end, 0)
    return this.#waiting.reduce((sum, { size }) => sum + size, stored)
  }

  /** Whether an entry of so many bytes may be written now. */
  hasRoom(bytes: number): boolean {
    return performance.now() >= this.#restingUntil && this.#fits(bytes)
  }

  /** Writes a batch behind the others. The entry tells when, and whether, that was done. */
  append(batch: Batch): Entry {
    const entry = new Entry(batch, entrySize(batch))
    if (!this.#fits(entry.size)) {
      entry.fail('spill_full')
      return entry
    }
    this.#waiting.push(entry)
    if (!this.#busy) this.#writing = this.#write()
    return entry
  }

  /** Writes a batch before it returns, behind all that were to be written. For when the process ends. */
  appendSync(batch: Batch): Entry {
    this.writeSync()
    const entry = new Entry(batch, entrySize(batch))
    if (this.#fits(entry.size)) this.#storeSync(entry)
    else entry.fail('spill_full')
    return entry
  }

  /** Writes all that waits to be written before it returns. */
  writeSync(): void {
    for (const entry of this.#waiting.splice(0)) {
      // One that is under way is written once more, as it is and where it is.
      const target = this.#target
      this.#target = undefined
      this.#storeSync(entry, target)
    }
  }

  /** The collector has taken or refused the batch of an entry. */
  settle(entry: Entry): void {
    if (entry.state === 'writing') entry.wish = 'settle'
    if (entry.segment === undefined || !entry.segment.live.delete(entry.offset)) return
    entry.segment.mark(entry.offset)
    this.#tidy(entry.segment)
  }

  /** The batch of an entry is no longer in memory: the replay will come to it. */
  leave(entry: Entry): void {
    if (entry.state === 'writing') entry.wish = 'leave'
    if (entry.segment?.live.delete(entry.offset)) entry.segment.left++
  }

  /** The oldest batch that was left and not taken yet; undefined when there is none. One call at a time. */
  async take(): Promise<Replayed | undefined> {
    for (;;) {
      const batch = this.#loaded?.batches.shift()
      if (this.#loaded !== undefined && batch !== undefined) return { batch, segment: this.#loaded.segment }
      this.#loaded = undefined
      const segment = this.#segments.find(({ left }) => left > 0)
      if (segment === undefined) return undefined
      await this.#load(segment)
    }
  }

  /** What `take` gave out is settled. */
  finish({ batch, segment }: Replayed): void {
    segment.mark(batch.offset)
    segment.left--
    this.#tidy(segment)
  }

  /** Takes over what dead processes left. */
  async adopt(): Promise<void> {
    const adopted = await adoptSegments(this.#options.directory, this.#folder)
    if (adopted.length === 0) return
    this.#segments = [...this.#segments, ...adopted].sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Leaves the folder: gone when nothing is left in it, otherwise to the next process. */
  close(): void {
    clearInterval(this.#heart)
    this.writeSync()
    this.#active = undefined
    for (const segment of this.#segments) this.#tidy(segment)
    for (const segment of this.#segments) segment.close()
    try {
      if (this.#segments.length > 0) disown(this.#folder)
      else {
        unclaim(this.#folder)
        rmdirSync(this.#folder)
      }
    } catch {
      // Whoever comes next looks whether this process still runs.
    }
  }

  #makeFolder(): string {
    const folder = join(this.#options.directory, folderName(randomBytes(4).toString('hex')))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    claim(folder)
    return folder
  }

  #fits(size: number): boolean {
    return this.bytes + size <= this.#options.maxBytes
  }

  async #write(): Promise<void> {
    this.#busy = true
    for (let entry = this.#waiting[0]; entry !== undefined; entry = this.#waiting[0]) {
      try {
        const segment = this.#segmentFor(entry)
        this.#target = segment
        await segment.write(encodeEntry(entry.batch, segment.records, segment.salt), this.#options.sync)
        if (this.#waiting[0] === entry) this.#stored(entry, segment)
      } catch (error) {
        if (this.#waiting[0] === entry) this.#failed(entry, error)
      }
      if (this.#waiting[0] === entry) this.#waiting.shift()
    }
    this.#target = undefined
    this.#busy = false
  }

  #storeSync(entry: Entry, target?: Segment): void {
    try {
      const segment = target ?? this.#segmentFor(entry)
      segment.writeSync(encodeEntry(entry.batch, segment.records, segment.salt), this.#options.sync)
      this.#stored(entry, segment)
    } catch (error) {
      this.#failed(entry, error)
    }
  }

  #stored(entry: Entry, segment: Segment): void {
    const { wish } = entry
    entry.store(segment, segment.end)
    segment.live.add(segment.end)
    segment.end += entry.size
    segment.records += entry.batch.records
    if (wish === 'settle') this.settle(entry)
    else if (wish === 'leave') this.leave(entry)
  }

  #failed(entry: Entry, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException
    this.#restingUntil = performance.now() + REST_MILLIS
    this.#events.warn('spill', `logs cannot be written to ${this.#options.directory}: ${message}`)
    entry.fail(code === 'ENOSPC' || code === 'EDQUOT' ? 'spill_full' : 'spill_failed')
  }

  #segmentFor({ size }: Entry): Segment {
    const active = this.#active
    const fits = active?.end === 0 || (active?.end ?? 0) + size <= this.#segmentBytes
    if (active !== undefined && active !== this.#retired && fits) return active
    this.#seal()
    const salt = randomBytes(8).toString('hex')
    const name = segmentName(Date.now(), begun++, salt)
    const segment = Segment.create(join(this.#folder, name), salt)
    this.#active = segment
    this.#segments.push(segment)
    return segment
  }

  #seal(): void {
    const active = this.#active
    this.#active = undefined
    if (active !== undefined) this.#tidy(active)
  }

  async #load(segment: Segment): Promise<void> {
    this.#retired = segment
    // The next entry goes elsewhere.
    while (segment === this.#active && this.#busy) await (this.#waiting[0]?.written ?? this.#writing)
    if (segment === this.#active) this.#seal()
    try {
      const { batches, lost, unreadableBytes } = readSegment(await segment.contents(), segment.salt)
      const left = batches.filter(({ offset }) => !segment.live.has(offset) && !segment.done.has(offset))
      segment.left = left.length
      if (!segment.read && (unreadableBytes > 0 || lost.size > 0)) this.#events.damaged(lost, unreadableBytes)
      segment.read = true
      this.#loaded = { segment, batches: left }
      this.#tidy(segment)
    } catch (error) {
      this.#forget(segment)
      const { code, message } = error as NodeJS.ErrnoException
      // What is gone is somebody else's.
      if (code !== 'ENOENT') this.#events.warn('spill', `${segment.path} cannot be read: ${message}`)
    }
  }

  /** Removes a segment that nobody needs any more. */
  #tidy(segment: Segment): void {
    if (segment === this.#active) return
    if (segment.settled) {
      this.#forget(segment)
      segment.remove()
    } else if (segment.live.size === 0) segment.rest()
  }

  #forget(segment: Segment): void {
    this.#segments = this.#segments.filter((other) => other !== segment)
  }

  #beat(): void {
    try {
      beat(this.#folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return
      // This process looked dead, and another has what was here.
      for (const segment of this.#segments.splice(0)) segment.rest()
      this.#active = undefined
      this.#loaded = undefined
      try {
        this.#folder = this.#makeFolder()
      } catch (cause) {
        this.#events.warn('spill', `${this.#options.directory} cannot be used: ${(cause as Error).message}`)
      }
    }
  }
}
