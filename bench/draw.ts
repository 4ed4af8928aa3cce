/** Chance that the same seed repeats (Tommy Ettinger's mulberry32). */
export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#next() * of.length)]
  }

  /** A whole number from 0 up to, and without, `limit`. */
  whole(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  /** True in the given share of the calls. */
  chance(share: number): boolean {
    return this.#next() < share
  }

  /** Bytes of which none is zero. */
  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => 1 + this.whole(255)))
  }

  /** From 0 up to, and without, 1. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    const state = this.#state
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
