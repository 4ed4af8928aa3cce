import { Refusal } from '../outcome.ts'
import type { LimitsSettings } from './config.ts'

/** How fast requests have to arrive: whoever sends a byte now and then would hold a connection and memory for long. */
export class BodyRate {
  readonly #bytesPerSecond: number
  readonly #graceMs: number

  constructor({ min_body_rate, min_body_rate_grace }: LimitsSettings) {
    this.#bytesPerSecond = min_body_rate
    this.#graceMs = min_body_rate_grace
  }

  /** The refusal of a request of which so much came in so many milliseconds; undefined where that is fast enough. */
  judge(receivedBytes: number, passedMs: number): Refusal | undefined {
    if (passedMs < this.#graceMs || receivedBytes * 1000 >= this.#bytesPerSecond * passedMs) return undefined
    return new Refusal(
      'slow',
      `the request comes at less than ${this.#bytesPerSecond} bytes a second (limits.min_body_rate)`,
    )
  }
}
