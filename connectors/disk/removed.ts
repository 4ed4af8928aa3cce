import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { readUpTo, syncDirectory, writeAll } from '../../src/files.ts'
import { BEGINNING, later, POSITION_BYTES, type Position, readPosition, writePosition } from './position.ts'

/**
 * Which elements of a log are no longer in it, though their segments are: a file of entries, each appended durably.
 * Numbers are little-endian.
 *
 * ```
 * entry = crc       4   CRC-32 of all that follows
 *         position 24   of the element
 *         end      24   after it
 * ```
 */
const NAME = 'removed'
const CRC_BYTES = 4
const ENTRY_BYTES = CRC_BYTES + 2 * POSITION_BYTES
/** So many entries about segments that are deleted are worth writing the others anew. */
const MAX_STALE = 1_000

/** Where an element stands. */
export interface Place {
  readonly position: Position
  readonly end: Position
}

export class Removed {
  readonly #directory: string
  readonly #places = new Map<number, Place>()
  #handle: FileHandle
  #size: number
  #end: Position = BEGINNING
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(directory: string, handle: FileHandle, content: Buffer) {
    this.#directory = directory
    this.#handle = handle
    let at = 0
    for (; at + ENTRY_BYTES <= content.length; at += ENTRY_BYTES) {
      const place = readEntry(content.subarray(at, at + ENTRY_BYTES))
      // What a crash has cut short was never answered.
      if (place === undefined) break
      this.#note(place)
    }
    this.#size = at
  }

  static async open(directory: string): Promise<Removed> {
    const handle = await open(join(directory, NAME), constants.O_RDWR | constants.O_CREAT, 0o600)
    await syncDirectory(directory)
    const { size } = await handle.stat()
    return new Removed(directory, handle, await readUpTo(handle, 0, size))
  }

  /** After the last element that was removed: no later one may have its number. */
  get end(): Position {
    return this.#end
  }

  has(number: number): boolean {
    return this.#places.has(number)
  }

  /** What was removed from `start` on. */
  since(start: Position): Position {
    let [elements, records, bytes] = [0, 0, 0]
    for (const { position, end } of this.#places.values()) {
      if (position.elements < start.elements) continue
      elements++
      records += end.records - position.records
      bytes += end.bytes - position.bytes
    }
    return { elements, records, bytes }
  }

  /** Resolves once the element is removed for good. */
  add(place: Place): Promise<void> {
    return this.#inTurn(async () => {
      await writeAll(this.#handle, [entryOf(place)], this.#size)
      await this.#handle.datasync()
      this.#size += ENTRY_BYTES
      this.#note(place)
    })
  }

  /** Forgets elements before `start`, when they are many. */
  forget(start: Position): Promise<void> {
    return this.#inTurn(async () => {
      const stale = [...this.#places.keys()].filter((number) => number < start.elements)
      if (stale.length >= MAX_STALE) await this.#rewrite(stale)
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#handle.close()
  }

  async #rewrite(stale: readonly number[]): Promise<void> {
    for (const number of stale) this.#places.delete(number)
    const path = join(this.#directory, NAME)
    const handle = await open(`${path}.new`, 'w+', 0o600)
    // The last one stays in any case, for its end.
    const entries = [...this.#places.values(), { position: this.#end, end: this.#end }].map(entryOf)
    await writeAll(handle, entries, 0)
    await handle.sync()
    await rename(`${path}.new`, path)
    await syncDirectory(this.#directory)
    await this.#handle.close()
    this.#handle = handle
    this.#size = entries.length * ENTRY_BYTES
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => {})
    return done
  }

  #note(place: Place): void {
    this.#end = later(this.#end, place.end)
    if (place.end.elements > place.position.elements) this.#places.set(place.position.elements, place)
  }
}

function entryOf({ position, end }: Place): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES)
  writePosition(entry, CRC_BYTES, position)
  writePosition(entry, CRC_BYTES + POSITION_BYTES, end)
  entry.writeUInt32LE(crc32(entry.subarray(CRC_BYTES)), 0)
  return entry
}

function readEntry(entry: Buffer): Place | undefined {
  if (entry.readUInt32LE(0) !== crc32(entry.subarray(CRC_BYTES))) return undefined
  return { position: readPosition(entry, CRC_BYTES), end: readPosition(entry, CRC_BYTES + POSITION_BYTES) }
}
