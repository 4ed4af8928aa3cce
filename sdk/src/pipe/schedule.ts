import { timerMillis } from './naps.ts'
import { isBefore } from './queue.ts'

/** When the queue is looked at, and which of its records may wait no longer. */
export class Schedule {
  readonly #delayMillis: number
  readonly #newest: () => number
  readonly #pump: () => void
  #delay: NodeJS.Timeout | undefined
  #soon = false
  /** Records up to this number are due, however few they are. */
  #due: number | undefined

  /**
   * @param newest The number of the newest record.
   * @param pump Looks at the queue.
   */
  constructor(delayMillis: number, newest: () => number, pump: () => void) {
    this.#delayMillis = timerMillis(delayMillis)
    this.#newest = newest
    this.#pump = pump
  }

  /** Looks soon, and not in the call of whoever logs. */
  soon(): void {
    if (this.#soon) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      this.#pump()
    })
  }

  /** Looks after the delay; what is there by then is due. */
  later(): void {
    this.#delay ??= setTimeout(() => {
      this.#delay = undefined
      this.makeDue(this.#newest())
      this.#pump()
    }, this.#delayMillis).unref()
  }

  makeDue(through: number): void {
    if (this.#due === undefined || isBefore(this.#due, through)) this.#due = through
  }

  isDue(number: number): boolean {
    return this.#due !== undefined && !isBefore(this.#due, number)
  }

  stop(): void {
    clearTimeout(this.#delay)
  }
}
