/** So much at once, and then so much a second: for what costs us more than it costs a client. */
export class Budget {
  readonly #burst: number
  readonly #perSecond: number
  #left: number
  #spent = 0

  constructor(burst: number, perSecond: number) {
    this.#burst = this.#left = burst
    this.#perSecond = perSecond
  }

  /** Takes one at `now`, milliseconds; false where none is left. */
  spend(now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#spent) / 1000) * this.#perSecond)
    this.#spent = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }

  /** Gives so much more, up to the burst. */
  earn(amount: number): void {
    this.#left = Math.min(this.#burst, this.#left + amount)
  }
}
