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

/**
 * Guards a destination that is down: after a failure everybody waits, then a single attempt probes it, and only
 * its success lets the others through.
 */
export class Circuit {
  readonly #settings: BackoffSettings
  #failures = 0
  #openUntil = 0
  #probe: Promise<void> | undefined

  constructor(settings: BackoffSettings) {
    this.#settings = settings
  }

  get isOpen(): boolean {
    return this.#failures > 0
  }

  /**
   * Runs one attempt when the destination may be asked. `isOutage` tells failures that say the destination is
   * down from those that concern the batch alone.
   */
  async run(
    attempt: () => Promise<void>,
    isOutage: (error: unknown) => number | false,
    signal: AbortSignal,
  ): Promise<void> {
    while (this.isOpen) {
      signal.throwIfAborted()
      if (this.#probe === undefined) {
        let finished = (): void => {}
        this.#probe = new Promise((resolve) => {
          finished = resolve
        })
        try {
          await pause(Math.max(0, this.#openUntil - performance.now()), signal)
          return await this.#attempt(attempt, isOutage)
        } finally {
          this.#probe = undefined
          finished()
        }
      }
      await this.#probe
    }
    signal.throwIfAborted()
    return this.#attempt(attempt, isOutage)
  }

  async #attempt(attempt: () => Promise<void>, isOutage: (error: unknown) => number | false): Promise<void> {
    try {
      await attempt()
      this.#failures = 0
    } catch (error) {
      const least = isOutage(error)
      if (least === false) this.#failures = 0
      else this.#openUntil = performance.now() + Math.max(least, backoff(this.#settings, this.#failures++))
      throw error
    }
  }
}
