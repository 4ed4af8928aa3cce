const BURST = 1000
const PER_SECOND = 100
/** What an answered call is worth: a client may say something of its windows with each. */
const PER_CALL = 10

/**
 * How many frames a client may send that ask for work and bring nothing: settings, priorities, window updates, empty
 * data, what belongs to no open stream (CVE-2019-9512 to 9518). RFC 9113, section 10.5, wants their use limited.
 */
export class FrameBudget {
  #left = BURST
  #spent = 0

  /** Takes one at `now`, milliseconds; false where none is left. */
  spend(now: number): boolean {
    this.#left = Math.min(BURST, this.#left + ((now - this.#spent) / 1000) * PER_SECOND)
    this.#spent = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }

  /** A call has been answered. */
  earn(): void {
    this.#left = Math.min(BURST, this.#left + PER_CALL)
  }
}
