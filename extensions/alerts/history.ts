import type { Reading, ServiceStatus } from '../../src/define.ts'
import type { Labels } from './alert.ts'

/** What was seen of the service at one moment, in milliseconds of the clock that rules use. */
export interface Sight {
  readonly at: number
  readonly readings: readonly Reading[]
  readonly status: ServiceStatus
}

/** A value and whose it is. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

interface Moment {
  readonly at: number
  readonly status: ServiceStatus
  readonly byName: ReadonlyMap<string, readonly Reading[]>
}

/** Up to this age every look is kept, from then on one for each `COARSE_MS`. */
const FINE_MS = 90_000
const COARSE_MS = 30_000

/** The last minutes of the service. Rules ask what is now, and what has become of it. */
export class History {
  readonly #keepMs: number
  readonly #moments: Moment[] = []

  /** Remembers `keepMs`, and a little more. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  add({ at, readings, status }: Sight): void {
    this.#moments.push({ at, status, byName: Map.groupBy(readings, ({ name }) => name) })
    this.#thinOut(at - FINE_MS)
    // The newest one that is old enough to look back to stays.
    while (this.#moments.length > 2 && this.#moments[1].at <= at - this.#keepMs) this.#moments.shift()
  }

  get status(): ServiceStatus | undefined {
    return this.#moments.at(-1)?.status
  }

  /** The current values of a metric whose labels contain `labels`. */
  now(name: string, labels: Labels = {}): Sample[] {
    return samples(this.#moments.at(-1), name, labels)
  }

  /** The values at the look before the last one; undefined when there was none. */
  before(name: string, labels: Labels = {}): Sample[] | undefined {
    const moment = this.#moments.at(-2)
    return moment && samples(moment, name, labels)
  }

  /**
   * By how much each counter has grown over the last `windowMs`, or since the first look where that was later. A counter
   * that was not there has grown from 0.
   */
  growth(name: string, windowMs: number, labels: Labels = {}): Sample[] {
    const then = this.#then(windowMs)
    if (then === undefined) return []
    const before = new Map(samples(then, name, labels).map((sample) => [keyOf(sample.labels), sample.value]))
    return this.now(name, labels).map((sample) => {
      const value = sample.value - (before.get(keyOf(sample.labels)) ?? 0)
      // One that went back began anew.
      return { labels: sample.labels, value: value < 0 ? sample.value : value }
    })
  }

  /** How many milliseconds `growth` looks back. */
  span(windowMs: number): number {
    const then = this.#then(windowMs)
    const last = this.#moments.at(-1)
    return then && last ? last.at - then.at : 0
  }

  /** Drops what is older than `limit` and lies close between two others. */
  #thinOut(limit: number): void {
    const index = this.#moments.findLastIndex(({ at }) => at < limit)
    if (index < 1) return
    if (this.#moments[index + 1].at - this.#moments[index - 1].at <= COARSE_MS) this.#moments.splice(index, 1)
  }

  /** The youngest moment that is `windowMs` old, or the oldest there is; undefined before the second look. */
  #then(windowMs: number): Moment | undefined {
    const last = this.#moments.at(-1)
    if (last === undefined || this.#moments.length < 2) return undefined
    return this.#moments.findLast(({ at }) => at <= last.at - windowMs) ?? this.#moments[0]
  }
}

/** The sum of all values; 0 for none. */
export function sumOf(all: readonly Sample[]): number {
  return all.reduce((sum, { value }) => sum + value, 0)
}

function samples(moment: Moment | undefined, name: string, labels: Labels): Sample[] {
  const wanted = Object.entries(labels)
  return (moment?.byName.get(name) ?? []).filter((reading) =>
    wanted.every(([key, value]) => reading.labels[key] === value),
  )
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
