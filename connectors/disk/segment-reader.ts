import type { FileHandle } from 'node:fs/promises'
import { readUpTo } from '../../src/files.ts'
import type { Position } from './position.ts'
import {
  decodeHeader,
  decodeRecord,
  HEADER_BYTES,
  isPlacedAt,
  RECORD_HEADER_BYTES,
  recordSize,
  type SegmentHeader,
  type StoredElement,
} from './segment.ts'

/** Bytes of a segment, by offset, in which no record can be read. */
export interface Damage {
  readonly kind: 'damage'
  readonly start: number
  readonly end: number
  /** The disk does not give them back. */
  readonly unreadable?: boolean
}

const CHUNK_BYTES = 512 * 1024
/** What a disk loses at once, at least. */
const BLOCK_BYTES = 4096

/** Reads a segment from front to back. What it cannot read it passes over, up to the next whole record. */
export class SegmentReader {
  /** Where the segment begins, or undefined when its header is not whole. */
  readonly start: Position | undefined
  readonly #handle: FileHandle
  readonly #version: number | undefined
  #chunk: Buffer = Buffer.alloc(0)
  #chunkAt = 0
  #offset = HEADER_BYTES
  /** Bytes of the log before the file, had it no header: what a record says it has before it, less its offset. */
  #origin: number | undefined

  private constructor(handle: FileHandle, header: SegmentHeader | undefined) {
    this.#handle = handle
    this.#version = header?.version
    this.start = header?.position
    this.#origin = this.start && this.start.bytes - HEADER_BYTES
  }

  /** The handle stays the caller's. A header that the disk does not give back counts as damaged. */
  static async open(handle: FileHandle): Promise<SegmentReader> {
    const header = await readUpTo(handle, 0, HEADER_BYTES).catch(() => undefined)
    return new SegmentReader(handle, header && decodeHeader(header))
  }

  /** How far it has read. */
  get offset(): number {
    return this.#offset
  }

  /** What comes next before offset `limit`, or undefined when nothing does. */
  async next(limit: number): Promise<StoredElement | Damage | undefined> {
    const start = this.#offset
    if (start >= limit) return undefined
    const found = await this.#recordAt(start, limit)
    if (found !== undefined) {
      this.#offset += RECORD_HEADER_BYTES + found.payload.length
      this.#origin ??= found.position.bytes - start
      return found
    }
    this.#offset = await this.#findRecord(start + 1, limit, CHUNK_BYTES)
    return { kind: 'damage', start, end: this.#offset }
  }

  /** As `next`, but what the disk does not give back, at a second attempt either, is passed over as damage too. */
  async nextReadable(limit: number): Promise<StoredElement | Damage | undefined> {
    return this.next(limit)
      .catch(() => this.next(limit))
      .catch(() => this.skip(limit))
  }

  /** Passes over what cannot be read, up to the next whole record that can. */
  async skip(limit: number): Promise<Damage> {
    const start = this.#offset
    this.#offset = limit
    for (let at = start + 1; at < limit; at = nextBlock(at)) {
      const found = await this.#findRecord(at, limit, BLOCK_BYTES).catch(() => undefined)
      if (found === undefined) continue
      this.#offset = found
      break
    }
    return { kind: 'damage', start, end: this.#offset, unreadable: true }
  }

  async #recordAt(at: number, limit: number): Promise<StoredElement | undefined> {
    const header = await this.#bytes(at, RECORD_HEADER_BYTES, limit)
    if (header.length < RECORD_HEADER_BYTES || !this.#mayBeRecord(header, 0, at, limit)) return undefined
    const size = recordSize(header, 0, limit - at)
    const record = await this.#bytes(at, size, limit)
    return record.length === size ? decodeRecord(record, this.#version) : undefined
  }

  /** The offset of the first whole record from `from` on, wherever it begins; `limit` when there is none. */
  async #findRecord(from: number, limit: number, step: number): Promise<number> {
    for (let at = from; at + RECORD_HEADER_BYTES <= limit; ) {
      const bytes = await this.#bytes(at, Math.min(step, limit - at), limit)
      const last = bytes.length - RECORD_HEADER_BYTES
      for (let i = 0; i <= last; i++) {
        if (!this.#mayBeRecord(bytes, i, at + i, limit)) continue
        if ((await this.#recordAt(at + i, limit)) !== undefined) return at + i
      }
      if (last < 0) break
      at += last + 1
    }
    return limit
  }

  /** Whether the bytes at `index`, which lie at `offset` of the file, look like a record: its checksum tells. */
  #mayBeRecord(bytes: Buffer, index: number, offset: number, limit: number): boolean {
    if (recordSize(bytes, index, limit - offset) === 0) return false
    return this.#origin === undefined || isPlacedAt(bytes, index, this.#origin + offset)
  }

  /** `size` bytes, or as many as there are. They stay as they are: chunks are never used again. */
  async #bytes(at: number, size: number, limit: number): Promise<Buffer> {
    const from = at - this.#chunkAt
    if (from >= 0 && from + size <= this.#chunk.length) return this.#chunk.subarray(from, from + size)
    this.#chunk = await this.#read(at, size, limit)
    this.#chunkAt = at
    return this.#chunk.subarray(0, size)
  }

  /** Reads ahead, unless that is what goes wrong. */
  async #read(at: number, size: number, limit: number): Promise<Buffer> {
    const ahead = Math.min(limit - at, CHUNK_BYTES)
    try {
      return await readUpTo(this.#handle, at, Math.max(size, ahead))
    } catch (error) {
      if (size >= ahead) throw error
      return readUpTo(this.#handle, at, size)
    }
  }
}

const nextBlock = (at: number): number => (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES
