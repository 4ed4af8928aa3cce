/**
 * So much a second, and what was left of the last seconds. What is larger than the bucket goes through when it is full,
 * and has to be made up for afterwards.
 */
export class TokenBucket {
  readonly #perMs: number
  readonly #capacity: number
  #level: number
  #filled: number

  /** `rate`: a second; `burst`: milliseconds it takes to fill; `now`: milliseconds on any clock that never goes back. */
  constructor(rate: number, burst: number, now: number) {
    this.#perMs = rate / 1000
    this.#capacity = Math.max(this.#perMs * burst, 1)
    this.#level = this.#capacity
    this.#filled = now
  }

  /** Milliseconds until it holds `amount`, or is full; 0 when it does. */
  wait(amount: number, now: number): number {
    this.#level = Math.min(this.#capacity, this.#level + (now - this.#filled) * this.#perMs)
    this.#filled = now
    const missing = Math.min(amount, this.#capacity) - this.#level
    return missing <= 0 ? 0 : missing / this.#perMs
  }

  take(amount: number): void {
    this.#level -= amount
  }
}
