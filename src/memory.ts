/** Node takes smaller buffers from its own slabs, which cost the garbage collector little. */
const SMALLEST_BYTES = 64 * 1024
/** Smaller arrays are not worth the call. */
const SMALLEST_DISCARDED_BYTES = 4096
/** A piece may be so many times what was asked for. */
const MOST_TOO_LARGE = 2
/** At rest, of all sizes together. */
const MAX_IDLE_BYTES = 24 * 1024 * 1024

/**
 * A copy that has its memory to itself, for what is kept: Node cuts small buffers out of slabs of 64 KiB, and one that
 * stays keeps the whole slab.
 */
export function copyToKeep(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

/**
 * Lends large buffers and takes them back. Memory outside the heap that comes and goes by the megabyte with every
 * request makes the engine collect the whole heap several times a second.
 */
export class Memory {
  /** Idle pieces by their size, which is that of a class; the one that was last in use comes last. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  /** What is lent at the moment, as far as it still exists. */
  readonly #lent = new WeakSet<ArrayBufferLike>()
  readonly #smallest: number
  readonly #maxIdle: number

  /** `smallest`: bytes of what is lent; less is cut out of what Node shares. `maxIdle`: of all that is at rest. */
  constructor(smallest = SMALLEST_BYTES, maxIdle = MAX_IDLE_BYTES) {
    this.#smallest = smallest
    this.#maxIdle = maxIdle
  }

  /** A buffer of exactly `size` bytes, with anything in them. It may be kept for good: giving it back is a saving only. */
  take(size: number): Buffer {
    if (size < this.#smallest) return Buffer.allocUnsafe(size)
    const piece = this.#idlePiece(size) ?? new ArrayBuffer(sizeClass(size))
    this.#lent.add(piece)
    return Buffer.from(piece, 0, size)
  }

  /** Takes over a buffer that nobody else has a part of: it is freed when it is given back, not some time later. */
  adopt(buffer: Buffer): Buffer {
    // Node cuts small buffers out of one it shares.
    if (buffer.buffer.byteLength > Math.max(this.#smallest, Buffer.poolSize)) this.#lent.add(buffer.buffer)
    return buffer
  }

  /**
   * Frees an array that nobody reads any more, unless it is part of something larger. Those that lived for a while
   * are not looked for by the collector until there are 64 MiB of them.
   */
  discard(array: Int32Array | Buffer): void {
    const { buffer } = array
    if (array.byteLength >= SMALLEST_DISCARDED_BYTES && array.byteLength === buffer.byteLength) {
      free(buffer as ArrayBuffer)
    }
  }

  /**
   * Takes a buffer back that nobody reads any more, nor any part of it. Does nothing with one that was neither lent
   * nor adopted.
   */
  give({ buffer }: Buffer): void {
    if (!this.#lent.delete(buffer)) return
    const size = buffer.byteLength
    if (size !== sizeClass(size) || size > this.#maxIdle) {
      free(buffer as ArrayBuffer)
      return
    }
    this.#idleBytes += size
    this.#inUse(size).push(buffer as ArrayBuffer)
    this.#freeOldest()
  }

  /**
   * The smallest that is large enough, and not much too large: batches are of many sizes, and new pages cost more than
   * some that idle.
   */
  #idlePiece(size: number): ArrayBuffer | undefined {
    const wanted = sizeClass(size)
    for (let whole = wanted; whole <= wanted * MOST_TOO_LARGE; whole = sizeClass(whole + 1)) {
      if (!this.#idle.get(whole)?.length) continue
      this.#idleBytes -= whole
      return this.#inUse(whole).pop()
    }
    // What is made now is of a class in use.
    this.#inUse(wanted)
    return undefined
  }

  /** The idle pieces of a class that is in use now. */
  #inUse(size: number): ArrayBuffer[] {
    const pieces = this.#idle.get(size) ?? []
    this.#idle.delete(size)
    this.#idle.set(size, pieces)
    return pieces
  }

  /** Sizes that nobody asks for any more must not keep the others from being used again. */
  #freeOldest(): void {
    for (const [size, pieces] of this.#idle) {
      while (this.#idleBytes > this.#maxIdle && pieces.length > 0) {
        free(pieces.pop() as ArrayBuffer)
        this.#idleBytes -= size
      }
      if (this.#idleBytes <= this.#maxIdle) return
      this.#idle.delete(size)
    }
  }
}

/** Moves what is there into nothing: the collector need not find it. */
function free(buffer: ArrayBuffer): void {
  buffer.transfer(0)
}

/** The next quarter of a power of two: what is not asked for is at most a fifth of a piece. */
function sizeClass(size: number): number {
  const quarter = 2 ** (Math.floor(Math.log2(size)) - 2)
  return Math.ceil(size / quarter) * quarter
}

/** The memory of the process. */
export const memory = new Memory()
