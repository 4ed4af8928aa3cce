/** How far the two clocks may part before the wall clock is believed: it tells whole milliseconds. */
const TOLERANCE = 2
/** How often they are compared. */
const CHECK_INTERVAL = 1000

/** Where the time comes from, in milliseconds. */
export interface TimeSource {
  /** Counts up evenly from `origin`. */
  monotonic(): number
  wall(): number
  /** The wall clock when `monotonic` was 0. */
  readonly origin: number
}

const SYSTEM: TimeSource = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  origin: performance.timeOrigin,
}

/**
 * Unix time in nanoseconds that never goes back, and never tells the same time twice: records sort by their time in the
 * order they were logged. Where the wall clock is set back, it goes on by single nanoseconds until that has caught up.
 */
export class Clock {
  /** The low 32 bits of the nanoseconds that `read` found. */
  low = 0
  /** The high 32 bits. */
  high = 0
  /** Milliseconds that `read` found. */
  millis = 0
  readonly #source: TimeSource
  #seconds = 0
  #nanos = 0
  #offset: number
  #checked: number
  #secondsLow = 0
  #secondsHigh = 0

  constructor(source: TimeSource = SYSTEM) {
    this.#source = source
    this.#offset = source.origin
    this.#checked = Number.NEGATIVE_INFINITY
  }

  /** Takes the time into `low`, `high` and `millis`. */
  read(): void {
    const monotonic = this.#source.monotonic()
    if (monotonic - this.#checked >= CHECK_INTERVAL) this.#compare(monotonic)
    const total = this.#offset + monotonic
    let seconds = Math.floor(total / 1000)
    // Apart from the seconds a double has the digits for nanoseconds.
    let nanos = Math.max(0, Math.floor((this.#offset - seconds * 1000 + monotonic) * 1e6))
    if (seconds < this.#seconds || (seconds === this.#seconds && nanos <= this.#nanos)) {
      seconds = this.#seconds
      nanos = this.#nanos + 1
    }
    if (nanos >= 1e9) {
      seconds++
      nanos -= 1e9
    }
    if (seconds !== this.#seconds) this.#startSecond(seconds)
    this.#nanos = nanos
    const low = this.#secondsLow + nanos
    this.low = low >>> 0
    this.high = low > 0xffffffff ? this.#secondsHigh + 1 : this.#secondsHigh
    this.millis = seconds * 1000 + Math.floor(nanos / 1e6)
  }

  /** The wall clock may have been set, or the machine have slept. */
  #compare(monotonic: number): void {
    const wall = this.#source.wall()
    if (Math.abs(this.#offset + monotonic - wall) > TOLERANCE) this.#offset = wall - monotonic
    this.#checked = monotonic
  }

  #startSecond(seconds: number): void {
    this.#seconds = seconds
    const nanos = BigInt(seconds) * 1_000_000_000n
    this.#secondsLow = Number(nanos & 0xffffffffn)
    this.#secondsHigh = Number(nanos >> 32n)
  }
}
