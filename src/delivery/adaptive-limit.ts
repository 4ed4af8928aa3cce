import { Latency, type Pace } from './latency.ts'

/** An attempt that was taken. */
export interface Attempt {
  /** When it began, by `performance.now`. */
  readonly started: number
  /** Milliseconds that the destination took. */
  readonly waited: number
  readonly bytes: number
}

/** How many requests may be under way at once, and how that changes with what their answers tell. */
export interface Limit {
  readonly value: number
  /** `full`: as many as may were under way. */
  taken(attempt: Attempt, full: boolean): void
  /** The destination had no room for `share` (0 to 1) of what an attempt that began at `started` brought. */
  refused(started: number, share: number): void
  /** The destination was away: what is known of it no longer holds. */
  restart(): void
}

export interface AdaptiveSettings {
  readonly initial_limit: number
  /** What a cut leaves of the limit, at most. */
  readonly decrease_ratio: number
  /** Milliseconds. */
  readonly increase_interval: number
  readonly rtt_deviation_scale: number
}

/** Why a limit was cut. */
export type CutReason = 'too_many' | 'latency'

/** What is left of a limit at least, however much was refused. */
const DEEPEST_CUT = 0.5
/** A limit that was refused each time it was tried is tried again after this many intervals at the latest. */
const LONGEST_HOLD = 10

/**
 * A limit that is raised by one at a time while the destination keeps up, and cut to a part when it refuses or
 * becomes slow (AIMD, as TCP has it). Until the first cut it grows with every answer. How deep a cut is follows
 * from how much was refused of what was under way together. A limit that was refused is not tried again so soon:
 * so it rests at what the destination takes.
 */
export class AdaptiveLimit implements Limit {
  readonly #settings: AdaptiveSettings
  readonly #max: number
  readonly #onCut: (reason: CutReason) => void
  readonly #latency: Latency
  #value: number
  #growing = true
  #raisedAt = Number.NEGATIVE_INFINITY
  #cutAt = Number.NEGATIVE_INFINITY
  /** The limit before the last cut, and how many requests' worth was refused since of what was under way then. */
  #before = 0
  #refused = 0
  /** The lowest limit that was refused, and after how many intervals it is tried again. */
  #ceiling = Number.POSITIVE_INFINITY
  #hold = 1

  constructor(max: number, settings: AdaptiveSettings, onCut: (reason: CutReason) => void = () => {}) {
    this.#settings = settings
    this.#max = max
    this.#onCut = onCut
    this.#latency = new Latency(settings.rtt_deviation_scale)
    this.#value = Math.min(settings.initial_limit, max)
  }

  get value(): number {
    return this.#value
  }

  taken({ started, waited, bytes }: Attempt, full: boolean): void {
    const now = performance.now()
    const pace = this.#latency.add(waited, bytes, now)
    if (pace === 'slow') {
      if (started >= this.#cutAt) this.#cut('latency', now)
    }
    // A limit that nobody comes near tells nothing of what the destination takes.
    else if (full && this.#value < this.#max) this.#raise(pace, now)
  }

  refused(started: number, share: number): void {
    const now = performance.now()
    if (started >= this.#cutAt) {
      this.#hold = this.#growing ? 1 : Math.min(LONGEST_HOLD, this.#hold * 2)
      // One request is always under way: that it was refused says nothing of two.
      this.#ceiling = Math.max(2, this.#value)
      this.#cut('too_many', now)
    }
    this.#refused += share
    this.#lower(Math.max(this.#before * DEEPEST_CUT, this.#before - this.#refused))
  }

  restart(): void {
    this.#value = 1
    this.#before = 1
    this.#growing = true
    this.#cutAt = performance.now()
  }

  #raise(pace: Pace | undefined, now: number): void {
    if (!this.#growing) {
      const hold = this.#value + 1 >= this.#ceiling ? this.#hold : 1
      const rested = now - Math.max(this.#cutAt, this.#raisedAt)
      if (pace !== 'usual' || rested < this.#settings.increase_interval * hold) return
      if (this.#value >= this.#ceiling) {
        // The destination takes now what it had refused.
        this.#ceiling = Number.POSITIVE_INFINITY
        this.#hold = Math.max(1, this.#hold / 2)
      }
    }
    this.#value++
    this.#raisedAt = now
  }

  #cut(reason: CutReason, now: number): void {
    this.#growing = false
    this.#cutAt = now
    this.#before = this.#value
    this.#refused = 0
    if (this.#value === 1) return
    this.#lower(Math.min(this.#value - 1, this.#value * this.#settings.decrease_ratio))
    this.#onCut(reason)
  }

  #lower(limit: number): void {
    this.#value = Math.max(1, Math.min(this.#value, Math.floor(limit)))
  }
}

/** A limit that stays as it is. */
export function fixedLimit(value: number): Limit {
  return { value, taken() {}, refused() {}, restart() {} }
}
