import { performance as thread } from 'node:perf_hooks'
import type { Limit } from './adaptive-limit.ts'

/** The right to one attempt. Given back exactly once; giving it back again changes nothing. */
export interface Permit {
  /** The destination took everything, `bytes` of it. */
  taken(bytes: number): void
  /** The destination had no room for this share (0 to 1) of it. */
  refused(share: number): void
  /** The attempt was not made, or tells nothing of how much the destination takes. */
  release(): void
}

/** Hands out as many permits as the limit allows, in the order in which they were asked for. */
export class Limiter {
  readonly #limit: Limit
  readonly #waiting = new Set<() => void>()
  #inFlight = 0

  constructor(limit: Limit) {
    this.#limit = limit
  }

  get limit(): number {
    return this.#limit.value
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Resolves when there is a permit; rejects with the reason of `signal` when that aborts first. */
  acquire(signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const grant = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(this.#permit())
      }
      const giveUp = (): void => {
        this.#waiting.delete(grant)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(grant)
      this.#grant()
    })
  }

  /** The destination was away: the next attempts are few. */
  restart(): void {
    this.#limit.restart()
  }

  #grant(): void {
    for (const grant of this.#waiting) {
      if (this.#inFlight >= this.#limit.value) return
      this.#waiting.delete(grant)
      grant()
    }
  }

  #permit(): Permit {
    this.#inFlight++
    const started = performance.now()
    const busy = busyMs()
    let held = true
    const giveBack = (learn: () => void): void => {
      if (!held) return
      held = false
      learn()
      this.#inFlight--
      this.#grant()
    }
    return {
      taken: (bytes) =>
        giveBack(() => {
          // While this process was busy itself, it could not see that the answer was there.
          const waited = Math.max(0, performance.now() - started - (busyMs() - busy))
          this.#limit.taken({ started, waited, bytes }, this.#inFlight >= this.#limit.value)
        }),
      refused: (share) => giveBack(() => this.#limit.refused(started, share)),
      release: () => giveBack(() => {}),
    }
  }
}

/** For how many milliseconds this thread has been at work. */
function busyMs(): number {
  return thread.eventLoopUtilization().active
}
