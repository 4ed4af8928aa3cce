import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { readUpTo, writeAll } from '../../src/files.ts'
import { crc32c } from './checksum/crc32c.ts'
import { DELIVERIES_BYTES, Deliveries } from './deliveries.ts'
import { BEGINNING, POSITION_BYTES, type Position, readPosition, writePosition } from './position.ts'

/**
 * How far a group has come, in a file of two slots, 512 bytes apart, written in turn: whichever is whole and of the
 * higher generation counts, so a torn write costs a step back, which means a redelivery. Numbers are little-endian.
 *
 * ```
 * slot = magic       4   'CUR2'
 *        crc         4   CRC-32C of all that follows
 *        generation  8
 *        position   24   all before it is acknowledged
 *        deliveries 440  how often what follows was handed out without success: see deliveries.ts
 * ```
 *
 * `CUR1`, with CRC-32 and without deliveries, is still read.
 */
const MAGIC = Buffer.from('CUR2')
const MAGIC_1 = Buffer.from('CUR1')
const CONTENT = MAGIC.length + 4
const DELIVERIES = CONTENT + 8 + POSITION_BYTES
const SLOT_BYTES = DELIVERIES + DELIVERIES_BYTES
/** A sector each: a disk writes one wholly or not at all. */
const SLOT_DISTANCE = 512
const PREFIX = 'cursor-'

interface Slot {
  readonly generation: number
  readonly position: Position
  readonly deliveries: Deliveries
}

export class Cursor {
  /** What is in it counts from the next `save` on. */
  readonly deliveries: Deliveries
  readonly #handle: FileHandle
  #generation: number
  #position: Position
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  private constructor(handle: FileHandle, { generation, position, deliveries }: Slot) {
    this.#handle = handle
    this.#generation = generation
    this.#position = position
    this.deliveries = deliveries
  }

  /** Opens the cursor of a group, or undefined when there is none that can be read. */
  static async open(directory: string, group: string): Promise<Cursor | undefined> {
    const handle = await open(pathOf(directory, group), 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return undefined
    })
    if (handle === undefined) return undefined
    const file = await readUpTo(handle, 0, SLOT_DISTANCE * 2)
    const slots = [readSlot(file, 0), readSlot(file, SLOT_DISTANCE)].filter((slot) => slot !== undefined)
    if (slots.length === 0) {
      await handle.close()
      return undefined
    }
    const [latest] = slots.sort((a, b) => b.generation - a.generation)
    return new Cursor(handle, latest)
  }

  /** Makes the cursor of a group that has none. The caller makes its name durable. */
  static async create(directory: string, group: string, position: Position): Promise<Cursor> {
    const handle = await open(pathOf(directory, group), 'w+', 0o600)
    // Both slots at once: a full disk can still write over what is there.
    await writeAll(handle, [Buffer.alloc(SLOT_DISTANCE * 2)], 0)
    const cursor = new Cursor(handle, { generation: 0, position: BEGINNING, deliveries: new Deliveries() })
    await cursor.save(position)
    await handle.sync()
    return cursor
  }

  get position(): Position {
    return this.#position
  }

  /**
   * Resolves once the position is in the file, or a later one, and the deliveries as they are then. It survives the
   * process, not a power cut.
   */
  save(position: Position = this.#position): Promise<void> {
    if (position.elements > this.#position.elements) this.deliveries.forget(position.elements)
    this.#position = position
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      const writing = this.#write()
      this.#last = writing.catch(() => {})
      return writing
    })
    return this.#next
  }

  /** Makes the position durable. What is still handed out is no delivery that failed. */
  async close(): Promise<void> {
    this.deliveries.returnedAll()
    try {
      await this.save()
      await this.#handle.sync()
    } finally {
      await this.#handle.close()
    }
  }

  async #write(): Promise<void> {
    const slot = Buffer.alloc(SLOT_BYTES)
    const generation = ++this.#generation
    MAGIC.copy(slot)
    slot.writeBigUInt64LE(BigInt(generation), CONTENT)
    writePosition(slot, CONTENT + 8, this.#position)
    this.deliveries.write(slot, DELIVERIES)
    slot.writeUInt32LE(crc32c(slot.subarray(CONTENT)), MAGIC.length)
    await writeAll(this.#handle, [slot], (generation % 2) * SLOT_DISTANCE)
  }
}

/** The groups that have a cursor in a folder. */
export async function groupsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory)
  return names
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => decodeURIComponent(name.slice(PREFIX.length)))
}

export async function forgetGroup(directory: string, group: string): Promise<void> {
  await rm(pathOf(directory, group))
}

/** Escaped as in a URL: `logs/drain` has its cursor in `cursor-logs%2Fdrain`. */
function pathOf(directory: string, group: string): string {
  return join(directory, PREFIX + encodeURIComponent(group))
}

function readSlot(file: Buffer, at: number): Slot | undefined {
  const slot = file.subarray(at, at + SLOT_BYTES)
  if (slot.length < SLOT_BYTES) return undefined
  const magic = slot.subarray(0, MAGIC.length)
  const sum = slot.readUInt32LE(MAGIC.length)
  const isFirst = magic.equals(MAGIC_1) && sum === crc32(slot.subarray(CONTENT, DELIVERIES))
  if (!isFirst && !(magic.equals(MAGIC) && sum === crc32c(slot.subarray(CONTENT)))) return undefined
  return {
    generation: Number(slot.readBigUInt64LE(CONTENT)),
    position: readPosition(slot, CONTENT + 8),
    deliveries: isFirst ? new Deliveries() : Deliveries.read(slot, DELIVERIES),
  }
}
