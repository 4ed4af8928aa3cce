import type { FileHandle } from 'node:fs/promises'
import { readUpTo } from './files.ts'
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
}

const CHUNK_BYTES = 512 * 1024

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

  /** The handle stays the caller's. */
  static async open(handle: FileHandle): Promise<SegmentReader> {
    return new SegmentReader(handle, decodeHeader(await readUpTo(handle, 0, HEADER_BYTES)))
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
    this.#offset = await this.#findRecord(start + 1, limit)
    return { kind: 'damage', start, end: this.#offset }
  }

  async #recordAt(at: number, limit: number): Promise<StoredElement | undefined> {
    const header = await this.#bytes(at, RECORD_HEADER_BYTES, limit)
    if (header.length < RECORD_HEADER_BYTES || !this.#mayBeRecord(header, 0, at, limit)) return undefined
    const size = recordSize(header, 0, limit - at)
    const record = await this.#bytes(at, size, limit)
    return record.length === size ? decodeRecord(record, this.#version) : undefined
  }

  /** The offset of the first whole record from `from` on, wherever it begins; `limit` when there is none. */
  async #findRecord(from: number, limit: number): Promise<number> {
    for (let at = from; at + RECORD_HEADER_BYTES <= limit; ) {
      const bytes = await this.#bytes(at, Math.min(CHUNK_BYTES, limit - at), limit)
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
    this.#chunk = await readUpTo(this.#handle, at, Math.min(limit - at, Math.max(size, CHUNK_BYTES)))
    this.#chunkAt = at
    return this.#chunk.subarray(0, size)
  }
}
