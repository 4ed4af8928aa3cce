import { SUSPECT_DELIVERIES } from '../../src/buffer/poison.ts'

/** What ends a process does so soon: nobody waits longer for it to come back. */
const ALONE_MS = 10_000

/**
 * Keeps suspects apart: an element that was out at two ends of the process goes out when nothing else is, and nothing
 * else goes out meanwhile, so that its neighbours are not counted, and buried, with it.
 */
export class Solitude {
  #until = 0
  #waiting: number | undefined

  /**
   * When an element that failed so often may go out while `out` others are, by `performance.now()`; 0 for at once. It
   * may sooner when all of them have come back.
   */
  barredUntil(element: number, failures: number, out: number): number {
    const now = performance.now()
    if (out === 0) return 0
    if (now < this.#until) return this.#until
    if (failures < SUSPECT_DELIVERIES || this.#waiting === element) return 0
    this.#waiting = element
    this.#until = now + ALONE_MS
    return this.#until
  }

  wentOut(failures: number): void {
    this.#until = failures < SUSPECT_DELIVERIES ? 0 : performance.now() + ALONE_MS
  }
}
