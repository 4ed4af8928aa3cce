import { RetryableError } from '../../../src/component.ts'
import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'

/** Senders that were refused together should not come back together: milliseconds. */
const RETRY_MS = { least: 500, most: 1500 }

/** The memory that requests take, over all connections and protocols, from their first byte to their answer. */
export class InFlight {
  readonly #limit: number
  #bytes = 0

  constructor(limit: number, metrics: ComponentMetrics) {
    this.#limit = limit
    metrics.gauge(
      'sluice_receiver_in_flight_bytes',
      'Memory that requests take which are being read or are not answered yet.',
      {},
      () => this.#bytes,
    )
    metrics
      .gauge('sluice_receiver_in_flight_limit_bytes', 'How much that may be (max_in_flight_bytes).')
      .set(limit)
  }

  /** What one request takes, which is nothing yet. */
  hold(): Hold {
    return new Hold(this)
  }

  /**
   * Adds to the `held` bytes of a request. One that is alone gets what it asks for: its size has a limit of its own,
   * and nobody is there whose end it could wait for.
   * @throws RetryableError where that would be too much
   */
  take(bytes: number, held: number): void {
    if (this.#bytes + bytes > this.#limit && this.#bytes > held) {
      const { least, most } = RETRY_MS
      throw new RetryableError(
        `requests under way take all of the ${this.#limit} bytes they may (limits.max_in_flight_bytes)`,
        { reason: 'memory', retryAfter: least + (most - least) * Math.random() },
      )
    }
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** What one request takes of the memory for all. */
export class Hold {
  readonly #all: InFlight
  #bytes = 0

  constructor(all: InFlight) {
    this.#all = all
  }

  /** @throws RetryableError where there is not so much left */
  take(bytes: number): void {
    this.#all.take(bytes, this.#bytes)
    this.#bytes += bytes
  }

  /** Gives back some of it. */
  give(bytes: number): void {
    this.#bytes -= bytes
    this.#all.give(bytes)
  }

  /** Gives back the rest. */
  release(): void {
    this.give(this.#bytes)
  }
}
