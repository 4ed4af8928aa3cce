import type { Finding, State } from './states.ts'

/** How long another run of the server is told of, in milliseconds. */
const FAILOVER_TOLD = 60_000

/** What is so whether or not the server answers: known from the last look that succeeded. */
const LASTING: ReadonlySet<State | undefined> = new Set<State | undefined>([
  undefined,
  'evicting',
  'no_maxmemory',
  'aof_off',
])

/** What is known to be wrong with a server: from looking at it, and from what pushes were answered meanwhile. */
export class Findings {
  readonly #now: () => number
  #seen: readonly Finding[] = []
  #told: readonly Finding[] = []
  #silent: Finding | undefined
  #run: string | undefined
  #failoverUntil = Number.NEGATIVE_INFINITY

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The worst first; one for each state. */
  get all(): readonly Finding[] {
    const silent = this.#silent ? [this.#silent] : []
    const failover = this.#now() < this.#failoverUntil ? [FAILOVER] : []
    const found = [...this.#told, ...this.#seen, ...silent, ...failover]
    if (found.length < 2) return found
    const sorted = [
      ...found.filter(({ health }) => health === 'failed'),
      ...found.filter(({ health }) => health !== 'failed'),
    ]
    return sorted.filter(({ state }, place) => sorted.findIndex((other) => other.state === state) === place)
  }

  has(state: State): boolean {
    return this.all.some((finding) => finding.state === state)
  }

  /** Begins a look. What was told before it is old once it has succeeded or failed. */
  look(): Look {
    const before = this.#told
    let over = false
    const settle = (seen: readonly Finding[]): void => {
      this.#told = this.#told.filter((finding) => !before.includes(finding))
      this.#silent = undefined
      this.#seen = seen
      over = true
    }
    return {
      saw: (findings, run) => {
        settle(findings)
        if (run === '') return
        if (this.#run !== undefined && run !== this.#run) this.#failoverUntil = this.#now() + FAILOVER_TOLD
        this.#run = run
      },
      failed: (finding) => settle([finding, ...this.#seen.filter(({ state }) => LASTING.has(state))]),
      waits: (finding) => {
        if (!over) this.#silent = finding
      },
    }
  }

  /** What a push was answered. Returns whether that is news. */
  told(finding: Finding): boolean {
    if (finding.state !== undefined && this.has(finding.state)) return false
    this.#told = [...this.#told, finding]
    return true
  }
}

/** A look at a server: `saw` or `failed` ends it, `waits` tells that it takes long. */
export interface Look {
  /** `run`: which run of the server it was, or nothing where that is unknown. */
  saw(findings: readonly Finding[], run: string): void
  failed(finding: Finding): void
  waits(finding: Finding): void
}

const FAILOVER: Finding = {
  state: 'failover',
  health: 'degraded',
  detail:
    'has been restarted, or another server took its place, within the last minute: what had not reached its disk or that server is lost',
}
