import type { Replayed, Spill } from '../spill/spill.ts'
import type { CounterBook } from './counters.ts'
import type { Delivery } from './delivery.ts'
import { Naps, timerMillis } from './naps.ts'

/** How often it is looked whether another process has died. */
const LOOK_MILLIS = 30_000
/** A pause is as long as the last request took, and no longer than this: new records come first. */
const MOST_PAUSE = 1000
const PATIENT = Number.POSITIVE_INFINITY

/** Sends what is on disk, oldest first, one batch after the other, and never gives one up. */
export class Replay {
  readonly #spill: Spill
  readonly #delivery: Delivery
  readonly #counters: CounterBook
  readonly #naps = new Naps()
  readonly #pauses = new Naps()
  /** Those who wait, and since when. */
  readonly #drains = new Map<() => void, number>()
  readonly #progressed: () => void
  #lookedAt = Number.NEGATIVE_INFINITY
  #stopped = false
  #nudged = false

  /** @param progressed Called when the collector has taken or refused a batch. */
  constructor(spill: Spill, delivery: Delivery, counters: CounterBook, progressed: () => void) {
    this.#spill = spill
    this.#delivery = delivery
    this.#counters = counters
    this.#progressed = progressed
  }

  /** Goes on until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#adopt()
      this.#nudged = false
      const replayed = await this.#spill.take()
      if (this.#stopped) return
      if (replayed !== undefined) await this.#deliver(replayed)
      else if (!this.#nudged) {
        this.#endDrains()
        await this.#naps.nap(LOOK_MILLIS)
      }
    }
  }

  /** Sends without pauses until nothing is left, the collector fails, or time is up. Keeps the process alive. */
  drain(timeoutMillis: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#drains.delete(end)
        resolve()
      }
      const timer = setTimeout(end, timerMillis(timeoutMillis))
      this.#drains.set(end, performance.now())
      this.nudge()
      this.#pauses.wake()
    })
  }

  /** There is something new on disk. */
  nudge(): void {
    this.#nudged = true
    this.#naps.wake()
  }

  /** What is being sent stays on disk, whatever becomes of it. */
  stop(): void {
    this.#stopped = true
    this.#endDrains()
    this.#pauses.wake()
    this.nudge()
  }

  async #adopt(): Promise<void> {
    if (performance.now() - this.#lookedAt < LOOK_MILLIS) return
    this.#lookedAt = performance.now()
    await this.#spill.adopt()
  }

  async #deliver(replayed: Replayed): Promise<void> {
    const { batch } = replayed
    const givesUp = (begun: number): boolean => {
      this.#endDrains(begun)
      // Who began to wait during the attempt has not seen the collector fail yet.
      if (this.#drains.size > 0) setImmediate(() => this.#delivery.hurry())
      return this.#stopped
    }
    const outcome = await this.#delivery.deliver(batch.bytes, { budgetMillis: PATIENT, givesUp })
    if (this.#stopped || outcome.kind === 'given_up') return
    const before = this.#counters.sent
    if (outcome.kind === 'refused') this.#counters.dropAll('refused', batch.tally)
    else this.#counters.take(batch, outcome.rejected)
    this.#counters.replayed += this.#counters.sent - before
    this.#spill.finish(replayed)
    this.#progressed()
    if (this.#drains.size > 0) return
    await this.#pauses.nap(Math.min(MOST_PAUSE, this.#delivery.lastMillis))
  }

  /** @param begun Only of those who have waited since then. */
  #endDrains(begun = Number.POSITIVE_INFINITY): void {
    for (const [end, since] of this.#drains) if (since <= begun) end()
  }
}
