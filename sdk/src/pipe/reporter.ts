import type { Counters, DropReason } from './counters.ts'
import type { Diagnostics } from './options.ts'

const INTERVAL = 60_000
/** What happens together is told together. */
const GATHER = 1000

/** What the counters said at the last line. */
type Totals = Pick<Counters, 'retried' | 'spilled'> & {
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** Tells in one line, at most once a minute, what was lost and put off since the last. */
export class Reporter {
  readonly #counters: Counters
  readonly #diagnostics: Diagnostics
  readonly #problem: () => string
  #told: Totals
  #toldAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** @param problem What the collector said last, with its address; empty where it said nothing bad. */
  constructor(counters: Counters, diagnostics: Diagnostics, problem: () => string) {
    this.#counters = counters
    this.#diagnostics = diagnostics
    this.#problem = problem
    this.#told = totalsOf(counters)
  }

  /** Something happened that is worth a line. */
  notice(): void {
    if (this.#timer !== undefined) return
    const wait = Math.max(GATHER, this.#toldAt + INTERVAL - performance.now())
    this.#timer = setTimeout(() => this.tell('pipe'), wait).unref()
  }

  /** Writes the line now, if there is anything to tell. */
  tell(kind: string): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const line = this.#line()
    if (line === undefined) return
    this.#told = totalsOf(this.#counters)
    this.#toldAt = performance.now()
    this.#diagnostics.warn(kind, line)
  }

  #line(): string | undefined {
    const { dropped, retried, spilled } = totalsOf(this.#counters)
    const drops = Object.entries(dropped)
      .map(([reason, count]) => [reason, count - this.#told.dropped[reason as DropReason]] as const)
      .filter(([, count]) => count > 0)
    const lost = drops.reduce((sum, [, count]) => sum + count, 0)
    const parts = [
      ...(lost > 0
        ? [`${lost} log records were lost (${drops.map(([why, count]) => `${count} ${why}`).join(', ')})`]
        : []),
      ...(retried > this.#told.retried ? [`${retried - this.#told.retried} requests were sent again`] : []),
      ...(spilled > this.#told.spilled
        ? [`${spilled - this.#told.spilled} log records were left to the disk`]
        : []),
    ]
    if (parts.length === 0) return undefined
    const problem = this.#problem()
    return problem === '' ? parts.join('; ') : `${parts.join('; ')}; ${problem}`
  }
}

function totalsOf({ dropped, retried, spilled }: Counters): Totals {
  return { dropped: { ...dropped }, retried, spilled }
}
