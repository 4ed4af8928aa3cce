import { generator } from '../faults/kit/random.ts'

/** Chance that a seed decides. */
export class Random {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = generator(seed)
  }

  /** A whole number from 0 up to `limit`, which it never is. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  chance(share: number): boolean {
    return this.#next() < share
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)))
  }
}
