import { type FileHandle, open } from 'node:fs/promises'
import type { Log } from './log.ts'
import type { Segment } from './recovery.ts'
import type { StoredElement } from './segment.ts'
import { SegmentReader } from './segment-reader.ts'

/** Reads the durable elements of a log in order, each once. */
export class LogReader {
  readonly #log: Log
  #next: number
  #skipped = false
  #segment: Segment | undefined
  #handle: FileHandle | undefined
  #reader: SegmentReader | undefined

  /** Begins at the element of number `from`. */
  constructor(log: Log, from: number) {
    this.#log = log
    this.#next = from
    // A file that is open keeps its room on the disk, deleted or not.
    log.onRemove(this.#onRemove)
  }

  /** The next element, or undefined when all were read that there are. One call at a time. */
  async next(): Promise<StoredElement | undefined> {
    while (this.#next < this.#log.end.elements) {
      if (this.#skipped) {
        this.#skipped = false
        await this.close()
      }
      const segment = this.#segment ?? this.#log.segmentOf(this.#next)
      if (segment === undefined) return undefined
      const following = this.#log.following(segment)
      const reader = this.#reader ?? (await this.#open(segment))
      const found = await reader.next(segment.size)
      const isOver =
        found === undefined ||
        (found.kind === 'element' && found.position.elements >= (following?.first ?? this.#log.end.elements))
      if (isOver) {
        if (following === undefined) return undefined
        await this.close()
        this.#segment = following
      } else if (found.kind === 'damage') {
        await this.#log.quarantine.keep(segment.path, found)
      } else if (found.position.elements >= this.#next) {
        this.#next = found.end.elements
        return found
      }
    }
    return undefined
  }

  /** Passes over what the disk does not give back, up to the next record that it does, or to the next segment. */
  async skip(): Promise<void> {
    if (this.#skipped) return
    const segment = this.#segment ?? this.#log.segmentOf(this.#next)
    if (segment === undefined) return
    if (this.#reader !== undefined) {
      await this.#log.quarantine.keep(segment.path, await this.#reader.skip(segment.size))
      return
    }
    const following = this.#log.following(segment)
    // The one being written has its end still to come.
    if (following === undefined) return
    await this.#log.quarantine.keep(segment.path, { start: 0, end: segment.size })
    this.#segment = following
  }

  /** Goes on with the element of number `next` at least, also where a call is under way. */
  skipTo(next: number): void {
    this.#next = Math.max(this.#next, next)
    this.#skipped = true
  }

  /** Closes the file; reading on opens it again. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#segment = this.#handle = this.#reader = undefined
    await handle?.close()
  }

  /** Closes it for good. */
  async end(): Promise<void> {
    this.#log.offRemove(this.#onRemove)
    await this.close()
  }

  readonly #onRemove = (segment: Segment): void => {
    if (segment === this.#segment) void this.close()
  }

  async #open(segment: Segment): Promise<SegmentReader> {
    const handle = await open(segment.path, 'r')
    this.#segment = segment
    this.#handle = handle
    this.#reader = await SegmentReader.open(handle)
    return this.#reader
  }
}
