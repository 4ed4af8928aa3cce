/** Each bucket reaches 2 % further than the one before. */
const GROWTH = Math.log(1.02)
const BUCKETS = 1200

/** Delays in milliseconds, each with a weight, to within 2 %: from 1 ms to half a year. */
export class Histogram {
  readonly #weights = new Float64Array(BUCKETS)
  #total = 0
  #max = 0

  get total(): number {
    return this.#total
  }

  get max(): number {
    return this.#max
  }

  add(ms: number, weight: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(Math.log(Math.max(1, ms)) / GROWTH)))
    this.#weights[bucket] += weight
    this.#total += weight
    if (ms > this.#max) this.#max = ms
  }

  /** The delay that a share `q` does not exceed; 0 where there is none. */
  quantile(q: number): number {
    let left = q * this.#total
    if (this.#total === 0) return 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#weights[bucket]
      if (left <= 0) return Math.min(this.#max, Math.exp((bucket + 0.5) * GROWTH))
    }
    return this.#max
  }

  clear(): void {
    this.#weights.fill(0)
    this.#total = 0
    this.#max = 0
  }
}
