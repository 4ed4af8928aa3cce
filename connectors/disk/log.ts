import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Logger } from 'pino'
import type { Element } from '../../src/buffer/group-commit.ts'
import { RetryableError } from '../../src/component.ts'
import { errorCode, makeDirectory, syncDirectory, writeAll } from '../../src/files.ts'
import { BEGINNING, later, type Position } from './position.ts'
import type { Quarantine } from './quarantine.ts'
import { beginningOf, type Recovered, recover, type Segment } from './recovery.ts'
import { encodeHeader, encodeRecordHeader, HEADER_BYTES, positionAfter, segmentName } from './segment.ts'

export interface LogOptions {
  readonly directory: string
  /** Size from which on a segment gets no more. */
  readonly segmentBytes: number
  /** Elements are numbered from here at least: somebody has read that far. */
  readonly atLeast: Position
  readonly log: Logger
  readonly quarantine: Quarantine
  /** Called when a segment gets no more because writing to it went wrong. */
  readonly fenced: () => void
}

const LEAST_SEGMENTS = 8

/** Files are deleted as a whole: what may hold `limit` bytes has eight at least, so that the first does not wait long. */
export function segmentBytes(usual: number, limit: number): number {
  return limit === 0 ? usual : Math.min(usual, Math.ceil(limit / LEAST_SEGMENTS))
}

/** There is no room for it elsewhere either. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']

interface Append {
  readonly element: Element
  readonly resolve: () => void
  readonly reject: (error: RetryableError) => void
}

interface Active {
  readonly segment: Segment
  readonly handle: FileHandle
}

/** Elements in the order they were appended, in segment files. Only one process may have the folder open. */
export class Log {
  readonly quarantine: Quarantine
  readonly #options: LogOptions
  readonly #segments: Segment[]
  readonly #appended: ((before: Position) => void)[] = []
  readonly #removed = new Set<(segment: Segment) => void>()
  #start: Position
  #end: Position
  #bytes: number
  #active: Active | undefined
  #queue: Append[] = []
  #committing: Promise<void> | undefined
  #removing: Promise<void> = Promise.resolve()
  #closed = false

  private constructor(options: LogOptions, { segments, start, end }: Recovered) {
    this.#options = options
    this.quarantine = options.quarantine
    this.#segments = segments
    this.#end = later(end, options.atLeast)
    this.#bytes = segments.reduce((sum, { size }) => sum + size, 0)
    this.#start = segments.length === 0 ? this.#end : start
  }

  /** Opens the log in a folder, or makes it, and mends what a crash has left. */
  static async open(options: LogOptions): Promise<Log> {
    await makeDirectory(options.directory)
    return new Log(options, await recover(options.directory, options.quarantine))
  }

  /** The oldest position there was when the log was opened, or was left when something was dropped. */
  get start(): Position {
    return this.#start
  }

  /** After the last durable element. */
  get end(): Position {
    return this.#end
  }

  /** Bytes that the segments take on the disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves once the element is durable, after those appended before. Throws RetryableErrors. */
  append(element: Element): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ element, resolve, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /** Calls back when there is more to read; `before` is where the log ended until then. */
  onAppend(listener: (before: Position) => void): void {
    this.#appended.push(listener)
  }

  /** Calls back when a segment is deleted. */
  onRemove(listener: (segment: Segment) => void): void {
    this.#removed.add(listener)
  }

  /** Calls back no more. */
  offRemove(listener: (segment: Segment) => void): void {
    this.#removed.delete(listener)
  }

  /** The segment that holds the element of this number, if any does. */
  segmentOf(number: number): Segment | undefined {
    return this.#segments.findLast(({ first }) => first <= number) ?? this.#segments[0]
  }

  /** The segment after one; there is none after the one being written. */
  following({ first }: Segment): Segment | undefined {
    return this.#segments.find((segment) => segment.first > first)
  }

  /** Deletes the segments all of whose elements have lower numbers, but not the one being written. */
  trim(number: number): void {
    while (this.#segments.length > (this.#active ? 1 : 0)) {
      if ((this.#segments[1]?.first ?? this.#end.elements) > number) return
      this.#remove(this.#segments[0])
    }
  }

  /** As `trim`, and where nothing is left then, the segment being written goes too. */
  async trimAll(number: number): Promise<void> {
    if (this.#committing === undefined && number >= this.#end.elements) await this.#seal()
    this.trim(number)
  }

  /** When the oldest segment was last written to, in epoch milliseconds; undefined when there is none. */
  async oldestMs(): Promise<number | undefined> {
    const [oldest] = this.#segments
    return oldest && (await stat(oldest.path)).mtimeMs
  }

  /** Deletes the oldest segment with all that is in it, and resolves to what that was. */
  async dropOldest(): Promise<Position> {
    if (this.#segments.length === 1 && this.#committing === undefined) await this.#seal()
    const [oldest, following] = this.#segments
    if (oldest === undefined || oldest === this.#active?.segment) return BEGINNING
    const before = this.#start
    const after = following ? await beginningOf(following, this.#end) : this.#end
    this.#start = after
    this.#remove(oldest)
    await this.#removing
    return {
      elements: after.elements - before.elements,
      records: after.records - before.records,
      bytes: after.bytes - before.bytes,
    }
  }

  /** Waits for what was appended, and closes the files. */
  async close(): Promise<void> {
    await this.#committing
    this.#closed = true
    await this.#seal()
    await this.#removing
  }

  async #commitAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#commit()
    this.#committing = undefined
  }

  /** One write and one fdatasync for all that came while the last ones ran. */
  async #commit(): Promise<void> {
    const taken = this.#take()
    try {
      const before = this.#end
      await this.#write(taken).catch((error: unknown) => {
        if (this.#closed || NO_ROOM.includes(errorCode(error))) throw error
        // Once more, into a new file: it may be that only this one, or its place on the disk, is broken.
        return this.#write(taken)
      })
      for (const { resolve } of taken) resolve()
      for (const listener of this.#appended) listener(before)
    } catch (cause) {
      const problem = `${this.#options.directory} could not be written (${errorCode(cause)})`
      const error = new RetryableError(problem, { cause, reason: 'disk' })
      for (const { reject } of taken) reject(error)
    }
  }

  async #write(taken: readonly Append[]): Promise<void> {
    let active: Active | undefined
    try {
      if (this.#closed) throw new Error('the log is closed')
      active = await this.#writable()
      const { segment, handle } = active
      const before = this.#end
      const now = Date.now()
      const buffers: Buffer[] = []
      let end = before
      for (const { element } of taken) {
        buffers.push(encodeRecordHeader(end, now, element), element.bytes)
        end = positionAfter(end, element)
      }
      await writeAll(handle, buffers, segment.size)
      await handle.datasync()
      segment.size += end.bytes - before.bytes
      this.#bytes += end.bytes - before.bytes
      this.#end = end
    } catch (cause) {
      if (active) await this.#fence(active, cause)
      throw cause
    }
  }

  #take(): Append[] {
    let bytes = 0
    let count = 0
    while (count < this.#queue.length && (count === 0 || bytes < this.#options.segmentBytes)) {
      bytes += this.#queue[count++].element.bytes.length
    }
    return this.#queue.splice(0, count)
  }

  /** The segment being written, or a new one: after a start, a fence, or when the last is large enough. */
  async #writable(): Promise<Active> {
    if (this.#active && this.#active.segment.size < this.#options.segmentBytes) return this.#active
    await this.#seal()
    const { directory } = this.#options
    const first = this.#end.elements
    const path = join(directory, segmentName(first))
    const handle = await open(path, 'wx+', 0o600)
    try {
      await writeAll(handle, [encodeHeader(this.#end)], 0)
      await syncDirectory(directory)
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(path).catch(() => {})
      throw error
    }
    const segment = { path, first, size: HEADER_BYTES }
    this.#active = { segment, handle }
    this.#segments.push(segment)
    this.#bytes += HEADER_BYTES
    return this.#active
  }

  async #seal(): Promise<void> {
    const active = this.#active
    this.#active = undefined
    await active?.handle.close()
  }

  /**
   * After a failed write or fdatasync nobody knows what the file holds past its durable part, and a second
   * fdatasync may report success without having written anything. So the segment gets no more.
   */
  async #fence({ segment, handle }: Active, cause: unknown): Promise<void> {
    this.#active = undefined
    this.#options.fenced()
    this.#options.log.error(
      { err: cause, segment: basename(segment.path) },
      'writing to the disk went wrong; the next attempt goes to a new file',
    )
    await handle.truncate(segment.size).catch(() => {})
    await handle.close().catch(() => {})
    // Nothing in it is durable, and the next segment will have the same first element, so the same name.
    if (segment.first === this.#end.elements) this.#remove(segment)
    await this.#removing
  }

  #remove(segment: Segment): void {
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    this.#bytes -= segment.size
    for (const listener of this.#removed) listener(segment)
    this.#removing = this.#removing
      .then(() => rm(segment.path, { force: true }))
      .catch((err: unknown) => {
        this.#options.log.warn({ err, segment: basename(segment.path) }, 'a segment could not be deleted')
      })
  }
}
