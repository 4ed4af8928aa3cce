/** Node takes smaller buffers from its own slabs, which cost the garbage collector little. */
const SMALLEST_BYTES = 64 * 1024
/** Memory at rest, of all sizes together. */
const MAX_IDLE_BYTES = 48 * 1024 * 1024

/**
 * Lends large buffers and takes them back. Memory outside the heap that comes and goes by the megabyte with every
 * request makes the engine collect the whole heap several times a second.
 */
export class Memory {
  /** Idle pieces by the power of two that their size is. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0

  /** A buffer of exactly `size` bytes, with anything in them. It may be kept for good: giving it back is a saving only. */
  take(size: number): Buffer {
    if (size < SMALLEST_BYTES) return Buffer.allocUnsafe(size)
    const whole = sizeClass(size)
    const piece = this.#idle.get(whole)?.pop()
    if (piece === undefined) return Buffer.from(new ArrayBuffer(whole), 0, size)
    this.#idleBytes -= whole
    return Buffer.from(piece, 0, size)
  }

  /** Takes a buffer back that `take` lent and nobody reads any more, nor any part of it. */
  give(buffer: Buffer): void {
    const whole = buffer.buffer.byteLength
    if (whole < SMALLEST_BYTES || whole !== sizeClass(whole)) return
    if (this.#idleBytes + whole > MAX_IDLE_BYTES) return
    this.#idleBytes += whole
    const pieces = this.#idle.get(whole)
    if (pieces) pieces.push(buffer.buffer as ArrayBuffer)
    else this.#idle.set(whole, [buffer.buffer as ArrayBuffer])
  }
}

function sizeClass(size: number): number {
  return 2 ** Math.ceil(Math.log2(size))
}

/** The memory of the process. */
export const memory = new Memory()
