import type { Answer } from '../transport/answer.ts'

/** Attempts in a row that fail before a collector counts as away. */
const FAILURES = 3

/** How the collector does, as the last answers tell. */
export class Health {
  readonly #patience: number
  #failures = 0
  #failingSince = 0
  #problem = ''

  /** @param patience Milliseconds of failures before the collector counts as away. */
  constructor(patience: number) {
    this.#patience = patience
  }

  /** Whether it takes nothing, and has not for a while. */
  get away(): boolean {
    return this.#failures >= FAILURES && performance.now() - this.#failingSince >= this.#patience
  }

  /** What it said last when it did not take something. */
  get problem(): string {
    return this.#problem
  }

  /** Returns true when the collector had taken nothing before, and does again. */
  note(answer: Answer): boolean {
    if (answer.kind !== 'taken') this.#problem = answer.message
    else if (answer.rejected > 0 || answer.message !== '')
      this.#problem = `partial success: ${answer.message}`
    // One that refuses a batch is there.
    if (answer.kind !== 'retryable') {
      const recovered = this.#failures >= FAILURES
      this.#failures = 0
      return recovered
    }
    if (this.#failures++ === 0) this.#failingSince = performance.now()
    return false
  }
}
