import type { BackoffSettings } from '../../src/delivery/circuit.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** What an attempt ended with; `retryAfter` in milliseconds. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly retryAfter: number }
export type Attempt = (settle: (outcome: Outcome) => void) => void

/**
 * src/delivery/circuit.ts in simulated time: after a failure everybody waits, a single attempt probes, its success lets the others
 * through. What fails together counts several times here, and makes the first waits longer.
 */
export class Circuit {
  readonly #clock: Clock
  readonly #random: Random
  readonly #settings: BackoffSettings
  #failures = 0
  #openUntil = 0
  #probing = false
  #waiting: (() => void)[] = []

  constructor(clock: Clock, random: Random, settings: BackoffSettings) {
    this.#clock = clock
    this.#random = random
    this.#settings = settings
  }

  get isOpen(): boolean {
    return this.#failures > 0
  }

  /** Runs one attempt when the destination may be asked; `settled` hears how it ended. */
  run(attempt: Attempt, settled: (outcome: Outcome) => void): void {
    if (!this.isOpen) {
      this.#attempt(attempt, settled)
    } else if (this.#probing) {
      this.#waiting.push(() => this.run(attempt, settled))
    } else {
      this.#probing = true
      this.#clock.after(this.#openUntil - this.#clock.now, () =>
        this.#attempt(attempt, (outcome) => {
          this.#probing = false
          for (const resume of this.#waiting.splice(0)) resume()
          settled(outcome)
        }),
      )
    }
  }

  #attempt(attempt: Attempt, settled: (outcome: Outcome) => void): void {
    attempt((outcome) => {
      if (outcome.ok) this.#failures = 0
      else this.#openUntil = this.#clock.now + Math.max(outcome.retryAfter, this.#backoff())
      settled(outcome)
    })
  }

  #backoff(): number {
    const { initial_interval, max_interval } = this.#settings
    const full = Math.min(max_interval, initial_interval * 2 ** Math.min(this.#failures++, 30))
    return full / 2 + (full / 2) * this.#random.uniform()
  }
}
