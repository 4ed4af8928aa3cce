import { pause } from './pause.ts'

export interface BackoffSettings {
  readonly initial_interval: number
  readonly max_interval: number
}

/** The wait before retry number `attempt` (from 0): doubling, with half of it left to chance, so that many do not return at once. */
export function backoff(settings: BackoffSettings, attempt: number): number {
  const full = Math.min(settings.max_interval, settings.initial_interval * 2 ** Math.min(attempt, 30))
  return full / 2 + (full / 2) * Math.random()
}

/** A turn to ask the destination. Whoever has it tells the circuit once how that went; more than that changes nothing. */
export interface Turn {
  /** The only one while the circuit is open. */
  readonly isProbe: boolean
  /** The destination answered: it is there, whatever it said of the batch. */
  answered(): void
  /** The destination is down, and to be left alone for `least` milliseconds. */
  failed(least: number): void
  /** It was not asked. */
  abandon(): void
}

/**
 * Guards a destination that is down: after a failure everybody waits, then a single attempt probes it, and only
 * an answer lets the others through.
 */
export class Circuit {
  readonly #settings: BackoffSettings
  #failures = 0
  #openUntil = 0
  #probing = false
  /** Aborted, and made anew, when those who wait are to look again. */
  #changed = new AbortController()

  constructor(settings: BackoffSettings) {
    this.#settings = settings
  }

  get isOpen(): boolean {
    return this.#failures > 0
  }

  /** Resolves when the destination may be asked. Rejects with the reason of `signal` when that aborts first. */
  async turn(signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted()
    while (this.isOpen && this.#probing) await this.#change(FOR_EVER, signal)
    if (!this.isOpen) return this.#turn(false)
    this.#probing = true
    try {
      for (let wait = this.#wait; wait > 0; wait = this.#wait) await this.#change(wait, signal)
    } catch (error) {
      this.#endProbe()
      throw error
    }
    if (this.isOpen) return this.#turn(true)
    this.#endProbe()
    return this.#turn(false)
  }

  /** Whole milliseconds for which the destination is to be left alone. */
  get #wait(): number {
    return this.isOpen ? Math.ceil(this.#openUntil - performance.now()) : 0
  }

  #turn(isProbe: boolean): Turn {
    let told = false
    const tell = (change: () => void): void => {
      if (told) return
      told = true
      change()
      if (isProbe) this.#endProbe()
    }
    return {
      isProbe,
      answered: () => tell(() => this.#close()),
      failed: (least) =>
        tell(() => {
          // What was under way together when the destination went down is one failure, not several.
          const wait = isProbe || !this.isOpen ? backoff(this.#settings, this.#failures++) : 0
          this.#openUntil = Math.max(this.#openUntil, performance.now() + Math.max(least, wait))
        }),
      abandon: () => tell(() => {}),
    }
  }

  #close(): void {
    if (!this.isOpen) return
    this.#failures = 0
    this.#openUntil = 0
    this.#wake()
  }

  #endProbe(): void {
    this.#probing = false
    this.#wake()
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = new AbortController()
    changed.abort()
  }

  /** Resolves after `ms`, or earlier when something has changed. */
  async #change(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, AbortSignal.any([signal, this.#changed.signal])).catch(() => {})
    signal.throwIfAborted()
  }
}

/** As long as a timer can be. */
const FOR_EVER = 2 ** 31 - 1
