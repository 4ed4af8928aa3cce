/** A client that gives up calls at its deadline does so now and then, with all its streams at once. */
const PER_SECOND = 33
const LEAST_BURST = 200
const WAVES = 2

/**
 * How many calls the client of a connection may reset before they are answered (CVE-2023-44487): each costs us more
 * than it costs the client, and no limit on concurrent streams counts them.
 */
export class ResetBudget {
  readonly #burst: number
  #left: number
  #spent = 0

  constructor(maxConcurrentStreams: number) {
    this.#burst = this.#left = Math.max(LEAST_BURST, WAVES * maxConcurrentStreams)
  }

  /** Takes one at `now`, milliseconds; false where none is left. */
  spend(now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#spent) / 1000) * PER_SECOND)
    this.#spent = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
