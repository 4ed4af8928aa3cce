import { close, closeSync, fdatasync, fdatasyncSync, openSync, unlinkSync, write, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { DONE } from './format.ts'

const writeAt = promisify(write)
const sync = promisify(fdatasync)

/** A file of entries, and what is known of them. */
export class Segment {
  readonly path: string
  readonly salt: string
  /** Where the next entry goes. */
  end: number
  /** Log records before `end`. */
  records = 0
  /** Entries whose batches are in memory too, by offset. */
  readonly live = new Set<number>()
  /** Entries that are settled, by offset. */
  readonly done = new Set<number>()
  /** Entries that are left to the replay, at least 1 where that is not known yet. */
  left = 0
  /** Whether what is missing in it was counted. */
  read = false
  #fd: number | undefined
  #busy = 0
  #resting = false

  private constructor(path: string, salt: string, end: number) {
    this.path = path
    this.salt = salt
    this.end = end
  }

  /** @throws Error where the file is there, or cannot be made */
  static create(path: string, salt: string): Segment {
    const segment = new Segment(path, salt, 0)
    segment.#fd = openSync(path, 'wx+', 0o600)
    return segment
  }

  /** A segment of a process before. */
  static found(path: string, salt: string, size: number): Segment {
    const segment = new Segment(path, salt, size)
    segment.left = 1
    return segment
  }

  /** Whether all its entries are settled. */
  get settled(): boolean {
    return this.left === 0 && this.live.size === 0
  }

  /** Writes an entry behind the others. It counts once the caller has moved `end`. */
  async write(entry: Buffer, synced: boolean): Promise<void> {
    await this.#use(async (fd) => {
      const { end } = this
      for (let at = 0; at < entry.length; ) {
        at += (await writeAt(fd, entry, at, entry.length - at, end + at)).bytesWritten
      }
      if (synced) await sync(fd)
    })
  }

  /** The same, at once. */
  writeSync(entry: Buffer, synced: boolean): void {
    const fd = this.#open()
    for (let at = 0; at < entry.length; ) {
      at += writeSync(fd, entry, at, entry.length - at, this.end + at)
    }
    if (synced) fdatasyncSync(fd)
  }

  /** Writes down that an entry is settled. Where that fails it is sent again some day, as the same batch. */
  mark(offset: number): void {
    this.done.add(offset)
    this.#use((fd) => writeAt(fd, DONE, 0, DONE.length, offset)).catch(() => {})
  }

  /** The bytes of its entries; behind them may stand what a failed write left. */
  async contents(): Promise<Buffer> {
    return (await readFile(this.path)).subarray(0, this.end)
  }

  /** Closes the file until it is needed again. */
  rest(): void {
    this.#resting = true
    if (this.#busy > 0 || this.#fd === undefined) return
    close(this.#fd, () => {})
    this.#fd = undefined
  }

  /** Closes the file at once; nothing may be under way but marks. */
  close(): void {
    if (this.#fd !== undefined && this.#busy === 0) closeSync(this.#fd)
    this.#fd = undefined
  }

  remove(): void {
    this.rest()
    try {
      unlinkSync(this.path)
    } catch {
      // Somebody else has it, or took it away.
    }
  }

  async #use(operation: (fd: number) => Promise<unknown>): Promise<void> {
    this.#busy++
    try {
      await operation(this.#open())
    } finally {
      this.#busy--
      // A file must not be closed under an operation: its number could be another's by then.
      if (this.#resting) this.rest()
    }
  }

  #open(): number {
    this.#resting = false
    this.#fd ??= openSync(this.path, 'r+')
    return this.#fd
  }
}
