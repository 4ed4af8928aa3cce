/** How an answer time compares with those before it. */
export type Pace = 'usual' | 'late' | 'slow'

interface Usual {
  mean: number
  variance: number
}

interface Round {
  sum: number
  count: number
}

/** The weight of the newest round in the average, so that what has become slower for good is soon the usual. */
const NEWEST = 0.4
/** Milliseconds: whoever answers later by less than this is not overloaded. */
const LEAST_RISE = 50
/** A destination is not called slow below this many times its usual, however even its answers were. */
const LEAST_RATIO = 1.5

/**
 * Tells whether answers take longer than they used to. Requests of a like size are compared with each other only: a
 * backlog makes requests large, and large ones take longer. Answer times are averaged over rounds, each about as
 * long as one answer takes. All times are milliseconds.
 */
export class Latency {
  readonly #deviations: number
  readonly #usual = new Map<number, Usual>()
  readonly #round = new Map<number, Round>()
  #roundEnds = 0

  /** Slow is what differs from the average by so many standard deviations. */
  constructor(deviations: number) {
    this.#deviations = deviations
  }

  /** Takes an answer time in; undefined until its round ends. */
  add(time: number, bytes: number, now: number): Pace | undefined {
    const size = sizeClass(bytes)
    const of = this.#round.get(size) ?? { sum: 0, count: 0 }
    of.sum += time
    of.count++
    this.#round.set(size, of)
    if (now < this.#roundEnds) return undefined

    const rounds = [...this.#round]
    this.#round.clear()
    const [most] = rounds.toSorted(([, a], [, b]) => b.count - a.count)
    this.#roundEnds = now + mean(most[1])
    const pace = this.#paceOf(most[0], mean(most[1]))
    for (const [each, round] of rounds) this.#learn(each, mean(round))
    return pace
  }

  #paceOf(size: number, time: number): Pace {
    const usual = this.#usual.get(size)
    if (usual === undefined) return 'usual'
    const deviation = Math.sqrt(usual.variance)
    const rise = Math.max(LEAST_RISE, deviation * this.#deviations, usual.mean * (LEAST_RATIO - 1))
    if (time > usual.mean + rise) return 'slow'
    return time > usual.mean + Math.max(LEAST_RISE, deviation) ? 'late' : 'usual'
  }

  #learn(size: number, time: number): void {
    const usual = this.#usual.get(size)
    if (usual === undefined) {
      this.#usual.set(size, { mean: time, variance: 0 })
      return
    }
    const difference = time - usual.mean
    usual.mean += NEWEST * difference
    usual.variance = (1 - NEWEST) * (usual.variance + NEWEST * difference ** 2)
  }
}

/** Sizes of one class differ by less than a factor of four. */
function sizeClass(bytes: number): number {
  return (31 - Math.clz32(bytes)) >> 1
}

const mean = ({ sum, count }: Round): number => sum / count
