import { Memory, memory } from '../../src/memory.ts'
import type { Hold } from './limits/in-flight.ts'

/** What is smaller than the pieces that all lend to each other is lent among requests. */
const SHARED_BYTES = 64 * 1024
const small = new Memory(1024, 4 * 1024 * 1024)
/** What is taken at first where a little of something large has come. */
const FIRST_BYTES = 16 * 1024
/** How much room is made ahead, in multiples of what has come: whoever only announces 20 MiB does not get them. */
const AHEAD = 16

const NOTHING: Buffer = Buffer.alloc(0)

export interface AssemblyOptions {
  /** Whether pieces may be read only while they are added. Otherwise what comes in one is not copied. */
  readonly copies: boolean
}

/**
 * Puts pieces together whose length is known, in memory that is borrowed and given back. It grows with what has come,
 * not with what was announced.
 */
export class Assembly {
  readonly #length: number
  readonly #hold: Hold
  readonly #copies: boolean
  #bytes = NOTHING
  #received = 0
  #lender: Memory | undefined

  /** What is taken is held by `hold`, which ends later: the memory may be lent on meanwhile. */
  constructor(length: number, hold: Hold, { copies }: AssemblyOptions = { copies: false }) {
    this.#length = length
    this.#hold = hold
    this.#copies = copies
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
    if (size === this.#length && !this.#copies) {
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
    this.#lender?.give(bytes)
    this.#lender = undefined
  }

  #grow(needed: number): void {
    const size = Math.min(this.#length, Math.max(FIRST_BYTES, needed * AHEAD))
    this.#hold.take(size - this.#bytes.length)
    const lender = size >= SHARED_BYTES ? memory : small
    const grown = lender.take(size)
    this.#bytes.copy(grown, 0, 0, this.#received)
    this.giveBack()
    this.#bytes = grown
    this.#lender = lender
  }
}
