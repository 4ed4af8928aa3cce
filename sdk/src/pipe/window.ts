import { timerMillis } from './naps.ts'

/** What is protected is older than two ticks and not older than three; the fourth is for the disk. */
const TICKS = 4

/** What a window has done with records up to a number. */
export interface WindowActions {
  /** The number of the newest record. */
  readonly newest: () => number
  /** Sends them, so that they may be acknowledged in time. */
  readonly send: (through: number) => void
  /** Has them written to disk; false when there is none left in memory alone. */
  readonly protect: (through: number) => boolean
}

/**
 * Sees to it that no record is in memory alone for longer than the window: what was there at the tick before is sent
 * now, and what was there at the one before that is written to disk, unless it was acknowledged meanwhile. It ticks only
 * while there is something to protect.
 */
export class Window {
  readonly #tickMillis: number
  readonly #actions: WindowActions
  #timer: NodeJS.Timeout | undefined
  /** The newest record at the last tick, and at the one before. */
  #young: number | undefined
  #old: number | undefined

  constructor(windowMillis: number, actions: WindowActions) {
    this.#tickMillis = timerMillis(windowMillis / TICKS)
    this.#actions = actions
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
    const { newest, send, protect } = this.#actions
    if (this.#young !== undefined) send(this.#young)
    const more = this.#old === undefined || protect(this.#old)
    this.#old = more ? this.#young : undefined
    this.#young = more ? newest() : undefined
    if (more) this.watch()
  }
}
