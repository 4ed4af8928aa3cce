import type { Scope } from './sink.ts'

/**
 * A record in a chunk: its length (u32), number (u32), scope (u16, an index into the chunk's scopes) and severity (u8),
 * little-endian, then its bytes.
 */
const HEADER = 11
const CHUNK_BYTES = 64 * 1024
const SMALLEST_CHUNK = 1024
/** Chunks are this part of the queue at most, so that half-filled ones weigh little. */
const CHUNKS = 64
/** Empty chunks that are kept for the next records. */
const SPARE = 8

/** trace, debug, info, warn, error, fatal: four severity numbers each. */
const LANES = 6
const INFO = 2

export interface QueueLimits {
  readonly maxBytes: number
  readonly maxRecords: number
}

/** Where a queued record lies. */
export type Visit = (
  chunk: Buffer,
  start: number,
  end: number,
  scope: Scope,
  severity: number,
  number: number,
) => void

/** Told of a record that made room for a more severe one. */
export type Evicted = (severity: number, bytes: number) => void

/**
 * Encoded records in the order they came, in memory that is bounded in bytes. Each level has a lane of chunks of its
 * own, so that making room for a severe record costs no more than dropping the oldest of the least severe lane.
 */
export class RecordQueue {
  readonly #limits: QueueLimits
  readonly #evicted: Evicted
  readonly #chunkBytes: number
  readonly #lanes = Array.from({ length: LANES }, () => new Lane())
  readonly #spare: Buffer[] = []
  #bytes = 0
  #records = 0
  #heldBytes = 0
  #heldRecords = 0
  /** Of the newest record; they wrap around at 2^32. */
  #newest = 0

  constructor(limits: QueueLimits, evicted: Evicted) {
    this.#limits = limits
    this.#evicted = evicted
    const part = Math.floor(limits.maxBytes / CHUNKS)
    this.#chunkBytes = Math.min(CHUNK_BYTES, Math.max(SMALLEST_CHUNK, part))
  }

  /** Bytes of the queued records, with what their chunks waste. */
  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#records
  }

  /** Bytes that count towards the limit: queued and held. */
  get usedBytes(): number {
    return this.#bytes + this.#heldBytes
  }

  get usedRecords(): number {
    return this.#records + this.#heldRecords
  }

  /** The number of the newest record that was ever taken in. */
  get newest(): number {
    return this.#newest
  }

  /** The number of the oldest record; undefined when the queue is empty. */
  get oldest(): number | undefined {
    return this.#first()?.headNumber
  }

  /** Counts what left the queue and is still in memory. */
  hold(bytes: number, records: number): void {
    this.#heldBytes += bytes
    this.#heldRecords += records
  }

  /** Takes back `hold`. */
  release(bytes: number, records: number): void {
    this.hold(-bytes, -records)
  }

  /**
   * Takes a copy of `source[start, end)`. When the queue is full, the oldest of less severe records make room.
   *
   * @returns False when there is no room.
   */
  offer(scope: Scope, severity: number, source: Uint8Array, start: number, end: number): boolean {
    const size = end - start
    const rank = laneOf(severity)
    const lane = this.#lanes[rank]
    if (!this.#makeRoom(rank, HEADER + size + lane.wasteBefore(HEADER + size))) return false
    const chunk = this.#chunkFor(lane, HEADER + size)
    const { bytes, end: at } = chunk
    const scopeIndex = chunk.indexOf(scope)
    this.#newest = (this.#newest + 1) >>> 0
    writeUint32(bytes, at, size)
    writeUint32(bytes, at + 4, this.#newest)
    bytes[at + 8] = scopeIndex
    bytes[at + 9] = scopeIndex >>> 8
    bytes[at + 10] = severity
    bytes.set(source.subarray(start, end), at + HEADER)
    chunk.end += HEADER + size
    lane.count(HEADER + size, 1)
    this.#bytes += HEADER + size
    this.#records++
    return true
  }

  /**
   * Takes the oldest records out, in the order they came. What `visit` is told stays as it is until the next `offer`.
   *
   * @param maxBytes Of the records; one that is larger comes alone.
   */
  take(maxRecords: number, maxBytes: number, visit: Visit): void {
    let bytes = 0
    for (let records = 0; records < maxRecords; records++) {
      const lane = this.#first()
      if (lane === undefined) return
      bytes += lane.headSize
      if (records > 0 && bytes > maxBytes) return
      this.#shift(lane, visit)
    }
  }

  #makeRoom(lane: number, size: number): boolean {
    const { maxBytes, maxRecords } = this.#limits
    let bytes = this.usedBytes + size - maxBytes
    let records = this.usedRecords + 1 - maxRecords
    if (bytes <= 0 && records <= 0) return true
    for (let below = 0; below < lane; below++) {
      bytes -= this.#lanes[below].bytes
      records -= this.#lanes[below].records
    }
    // Nothing is dropped for a record that has no room even so.
    if (bytes > 0 || records > 0) return false
    for (let below = 0; below < lane; below++) {
      while (
        this.#lanes[below].records > 0 &&
        (this.usedBytes + size > maxBytes || this.usedRecords + 1 > maxRecords)
      ) {
        this.#shift(this.#lanes[below], this.#drop)
      }
    }
    return true
  }

  readonly #drop: Visit = (_chunk, start, end, _scope, severity) => this.#evicted(severity, end - start)

  #chunkFor(lane: Lane, size: number): Chunk {
    const { tail } = lane
    if (tail !== undefined && tail.end + size <= tail.bytes.length) return tail
    this.#bytes += lane.closeTail(size)
    const spare = size > this.#chunkBytes ? undefined : this.#spare.pop()
    return lane.append(spare ?? Buffer.allocUnsafeSlow(Math.max(size, this.#chunkBytes)))
  }

  /** The lane whose head came first. */
  #first(): Lane | undefined {
    let first: Lane | undefined
    for (const lane of this.#lanes) {
      if (lane.records > 0 && (first === undefined || isBefore(lane.headNumber, first.headNumber)))
        first = lane
    }
    return first
  }

  #shift(lane: Lane, visit: Visit): void {
    const chunk = lane.head as Chunk
    const { bytes, pos } = chunk
    const start = pos + HEADER
    const end = start + readUint32(bytes, pos)
    const scope = chunk.scopes[bytes[pos + 8] | (bytes[pos + 9] << 8)]
    visit(bytes, start, end, scope, bytes[pos + 10], readUint32(bytes, pos + 4))
    chunk.pos = end
    lane.count(pos - end, -1)
    this.#bytes -= end - pos
    this.#records--
    if (chunk.pos < chunk.end) return
    this.#bytes -= lane.removeHead()
    if (bytes.length === this.#chunkBytes && this.#spare.length < SPARE) this.#spare.push(bytes)
  }
}

/** Whether a number was given out before another, over the wrap at 2^32. */
export function isBefore(number: number, other: number): boolean {
  return ((number - other) | 0) < 0
}

function laneOf(severity: number): number {
  return severity === 0 ? INFO : (severity - 1) >> 2
}

class Chunk {
  readonly bytes: Buffer
  readonly scopes: Scope[] = []
  /** The first record that is still there begins at `pos`, the last ends at `end`. */
  pos = 0
  end = 0
  /** Bytes at the end that no record took. */
  waste = 0
  next: Chunk | undefined

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  indexOf(scope: Scope): number {
    const { scopes } = this
    const last = scopes.length - 1
    if (scopes[last] === scope) return last
    const found = scopes.indexOf(scope)
    return found === -1 ? scopes.push(scope) - 1 : found
  }
}

class Lane {
  head: Chunk | undefined
  tail: Chunk | undefined
  bytes = 0
  records = 0

  get headNumber(): number {
    const { bytes, pos } = this.head as Chunk
    return readUint32(bytes, pos + 4)
  }

  get headSize(): number {
    const { bytes, pos } = this.head as Chunk
    return readUint32(bytes, pos)
  }

  count(bytes: number, records: number): void {
    this.bytes += bytes
    this.records += records
  }

  append(bytes: Buffer): Chunk {
    const chunk = new Chunk(bytes)
    if (this.tail === undefined) this.head = chunk
    else this.tail.next = chunk
    this.tail = chunk
    return chunk
  }

  /** Bytes at the end of the last chunk that stay empty when a record of `size` comes. */
  wasteBefore(size: number): number {
    const { tail } = this
    if (tail === undefined) return 0
    const room = tail.bytes.length - tail.end
    return size > room ? room : 0
  }

  /** Ends the last chunk, which has no room for a record of `size`; returns what it wastes. */
  closeTail(size: number): number {
    const waste = this.wasteBefore(size)
    if (this.tail !== undefined) this.tail.waste = waste
    this.bytes += waste
    return waste
  }

  /** Removes the first chunk, which is empty; returns what it wasted. */
  removeHead(): number {
    const { waste, next } = this.head as Chunk
    this.bytes -= waste
    this.head = next
    if (next === undefined) this.tail = undefined
    return waste
  }
}

function writeUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

function readUint32(bytes: Buffer, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}
