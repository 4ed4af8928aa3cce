import { memory } from '../../src/memory.ts'
import type { Hold } from './limits/in-flight.ts'

/** Smaller pieces come from memory that others share, and never go back. */
const LENT_BYTES = 64 * 1024
/** What is taken at first where a little of something large has come. */
const FIRST_BYTES = 16 * 1024
/** How much room is made ahead, in multiples of what has come: whoever only announces 20 MiB does not get them. */
const AHEAD = 16

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Puts pieces together whose length is known, in memory that is borrowed and given back. It grows with what has come,
 * not with what was announced. What comes in one piece is not copied.
 */
export class Assembly {
  readonly #length: number
  readonly #hold: Hold
  #bytes = NOTHING
  #received = 0
  #lent = false

  /** What is taken is held by `hold`, which ends later: the memory may be lent on meanwhile. */
  constructor(length: number, hold: Hold) {
    this.#length = length
    this.#hold = hold
  }

  /** How many bytes have not come yet. */
  get missing(): number {
    return this.#length - this.#received
  }

  /** The whole, once nothing is missing; it may be read until `giveBack`. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /**
   * Adds the part of `chunk` from `start` on, which must not be longer than what is missing.
   * @throws RetryableError where there is no memory for it now
   */
  add(chunk: Buffer, start = 0): void {
    const size = chunk.length - start
    if (size === this.#length) {
      this.#hold.take(size)
      this.#bytes = chunk.subarray(start)
      this.#received = size
      return
    }
    if (this.#received + size > this.#bytes.length) this.#grow(this.#received + size)
    chunk.copy(this.#bytes, this.#received, start)
    this.#received += size
  }

  /** Lets others have the memory. Nobody may read the bytes any more, nor any part of them. */
  giveBack(): void {
    const bytes = this.#bytes
    this.#bytes = NOTHING
    // Once and only what was lent: memory given back twice would be lent to two.
    if (this.#lent) memory.give(bytes)
    this.#lent = false
  }

  #grow(needed: number): void {
    const size = Math.min(this.#length, Math.max(FIRST_BYTES, needed * AHEAD))
    this.#hold.take(size - this.#bytes.length)
    const lent = size >= LENT_BYTES
    const grown = lent ? memory.take(size) : Buffer.allocUnsafe(size)
    this.#bytes.copy(grown, 0, 0, this.#received)
    this.giveBack()
    this.#bytes = grown
    this.#lent = lent
  }
}
