/**
 * A stream of random numbers that the seed decides. Every part of a simulation has a stream of its own, made with `fork`: adding
 * a drain then changes nothing in what the clients do.
 */
export class Random {
  readonly #seed: number
  #state: number

  constructor(seed: number) {
    this.#seed = seed >>> 0
    this.#state = this.#seed
  }

  /** A stream that the seed of this one and the name decide. */
  fork(name: string): Random {
    let hash = 0x811c9dc5 ^ this.#seed
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    return new Random(Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d))
  }

  /** From 0 up to 1, evenly (Tommy Ettinger's mulberry32). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    const state = this.#state
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform())
  }

  /** Around 0 with a standard deviation of 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** How many of many rare things happened where `mean` are expected. */
  poisson(mean: number): number {
    if (mean > MANY) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    const limit = Math.exp(-mean)
    let count = 0
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++
    return count
  }

  /** A factor of mean 1 that is never negative: log-normal, `variation` is its standard deviation. */
  factor(variation: number): number {
    if (variation === 0) return 1
    const variance = Math.log(1 + variation * variation)
    return Math.exp(Math.sqrt(variance) * this.normal() - variance / 2)
  }
}

/** From here on the normal distribution is close enough. */
const MANY = 30
