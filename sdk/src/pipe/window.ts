/** A record is older than two of its ticks, and younger than three, when it is protected. */
const TICKS = 3

/**
 * Sees to it that no record is in memory alone for longer than the window: with each tick, all that was there at the
 * tick before is protected. It ticks only while there is something to protect.
 */
export class Window {
  readonly #tickMillis: number
  readonly #newest: () => number
  readonly #protect: (through: number) => boolean
  #timer: NodeJS.Timeout | undefined
  #mark: number | undefined

  /**
   * @param newest The number of the newest record.
   * @param protect Has all records up to a number written to disk; false when there are none left in memory alone.
   */
  constructor(windowMillis: number, newest: () => number, protect: (through: number) => boolean) {
    this.#tickMillis = Math.max(1, windowMillis / TICKS)
    this.#newest = newest
    this.#protect = protect
  }

  /** There is a record in memory. */
  watch(): void {
    this.#timer ??= setTimeout(() => this.#tick(), this.#tickMillis).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    this.#timer = undefined
    const more = this.#mark === undefined || this.#protect(this.#mark)
    this.#mark = more ? this.#newest() : undefined
    if (more) this.watch()
  }
}
