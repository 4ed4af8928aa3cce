import { timerMillis } from './naps.ts'
import { isBefore } from './queue.ts'

interface Waiter {
  /** Of the last record it waits for. */
  readonly through: number
  readonly end: (settled: boolean) => void
}

/** Those who wait until all records up to a number have left the memory. */
export class Waiters {
  readonly #waiters = new Set<Waiter>()

  get waiting(): boolean {
    return this.#waiters.size > 0
  }

  /** Resolves with true once `settle` passes the number, with false after `timeoutMillis`. Keeps the process alive. */
  wait(through: number, timeoutMillis: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (settled: boolean): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        resolve(settled)
      }
      const waiter = { through, end }
      const timer = setTimeout(() => end(false), timerMillis(timeoutMillis))
      this.#waiters.add(waiter)
    })
  }

  /** @param oldest The number of the oldest record in memory; undefined when there is none. */
  settle(oldest: number | undefined): void {
    for (const { through, end } of this.#waiters) {
      if (oldest === undefined || isBefore(through, oldest)) end(true)
    }
  }
}
