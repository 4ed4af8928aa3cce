import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'

interface Deadline {
  readonly at: number
  /** Cleared when it is met. */
  missed: (() => void) | undefined
}

/** Many timeouts of the same length, with one timer for all: most are met, and cost no event. */
export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  readonly #pending = new Fifo<Deadline>()
  #running = false

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Calls `missed` after the time, unless the function it returns is called before. */
  set(missed: () => void): () => void {
    const deadline: Deadline = { at: this.#clock.now + this.#ms, missed }
    this.#pending.push(deadline)
    if (!this.#running) this.#run(deadline)
    return () => {
      deadline.missed = undefined
    }
  }

  #run(first: Deadline): void {
    this.#running = true
    this.#clock.after(first.at - this.#clock.now, () => {
      this.#running = false
      for (;;) {
        const next = this.#pending.first
        if (next === undefined) return
        if (next.missed !== undefined && next.at > this.#clock.now) {
          this.#run(next)
          return
        }
        this.#pending.shift()
        next.missed?.()
      }
    })
  }
}
