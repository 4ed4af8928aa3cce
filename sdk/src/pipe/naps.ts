/** Timers of Node end at once above it. */
const LONGEST = 2 ** 31 - 1

/** The delay of a timer that shall not end before `millis` are over, nor where that is not a number. */
export function timerMillis(millis: number): number {
  return Number.isNaN(millis) ? 0 : Math.min(LONGEST, Math.max(0, millis))
}

/** Waits that can be cut short. They do not keep the process alive. */
export class Naps {
  readonly #wakers = new Set<() => void>()

  /** Resolves after `millis`, or with the next `wake`. */
  nap(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(end)
        resolve()
      }
      const timer = setTimeout(end, timerMillis(millis)).unref()
      this.#wakers.add(end)
    })
  }

  /** Ends all waits that have begun. */
  wake(): void {
    for (const end of this.#wakers) end()
  }
}
