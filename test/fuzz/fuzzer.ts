import type { Coverage } from './coverage.ts'
import { Random } from './random.ts'
import type { FuzzTarget } from './target.ts'

/** Inputs between two looks at the coverage, which take as long as tens of inputs. */
const ROUND = 256
/** An input that keeps the event loop for longer is a defect. Inputs have 64 KiB at most. */
const SLOW_MS = 50
const TRIES = 3
/** Small inputs are quick, and reach what large ones do. */
const LONGEST_KEPT = 4096
/** The newest inputs of the corpus get half of the attention. */
const NEWEST = 50

export interface Finding {
  readonly input: Buffer
  readonly error: Error
}

export interface Progress {
  readonly runs: number
  readonly accepted: number
  readonly corpus: number
  /** Characters of source that ran. */
  readonly reached: number
  /** Of those that took long to check, the longest that a receiver would take. */
  readonly slowestMs: number
}

/** Makes inputs out of those that reached new code, runs them, and keeps those that reach more. The seed decides all. */
export class Fuzzer {
  readonly #target: FuzzTarget
  readonly #random: Random
  readonly #coverage: Coverage | undefined
  readonly #found: (finding: Finding) => void
  readonly #before: (input: Buffer) => void
  /** What inputs are made of: seeds, those given, and those found. */
  readonly corpus: Buffer[]
  readonly #seeds: number
  #runs = 0
  #accepted = 0
  #slowestMs = 0

  constructor(
    target: FuzzTarget,
    options: {
      readonly seed: number
      /** Inputs to start from besides the seeds. */
      readonly known?: readonly Buffer[]
      readonly coverage?: Coverage | undefined
      /** Called for each defect. */
      readonly found: (finding: Finding) => void
      /** Called before each input, for somebody who watches whether it comes to an end. */
      readonly before?: (input: Buffer) => void
    },
  ) {
    this.#target = target
    this.#random = new Random(options.seed)
    this.#coverage = options.coverage
    this.#found = options.found
    this.#before = options.before ?? (() => {})
    const seeds = target.seeds(this.#random)
    this.#seeds = seeds.length
    this.corpus = [...seeds, ...(options.known ?? [])]
    for (const input of this.corpus) this.#run(input)
    this.#coverage?.take()
  }

  /** The corpus but for the seeds. */
  get kept(): Buffer[] {
    return this.corpus.slice(this.#seeds)
  }

  get progress(): Progress {
    return {
      runs: this.#runs,
      accepted: this.#accepted,
      corpus: this.corpus.length,
      reached: this.#coverage?.total ?? 0,
      slowestMs: this.#slowestMs,
    }
  }

  /** Runs some inputs that there have not been. */
  round(size = ROUND): void {
    const inputs = Array.from({ length: size }, () =>
      this.#target.mutate(this.#pick(), this.#pick(), this.#random),
    )
    for (const input of inputs) this.#run(input)
    if (this.#coverage !== undefined && this.#coverage.take() > 0) this.#keep(inputs)
  }

  /** Keeps what reaches code beyond the inputs before it; all of it together has just done so. */
  #keep(inputs: readonly Buffer[]): void {
    this.#coverage?.forget()
    const search = (some: readonly Buffer[]): void => {
      for (const input of some) this.#run(input)
      if (this.#coverage?.take() === 0) return
      if (some.length === 1) {
        if (some[0].length <= LONGEST_KEPT) this.corpus.push(some[0])
        return
      }
      this.#coverage?.forget()
      const middle = some.length >> 1
      search(some.slice(0, middle))
      search(some.slice(middle))
    }
    search(inputs)
  }

  #pick(): Buffer {
    const { corpus } = this
    const among = this.#random.chance(0.5) ? corpus.length : Math.min(NEWEST, corpus.length)
    return corpus[corpus.length - 1 - this.#random.below(among)]
  }

  #run(input: Buffer): void {
    this.#before(input)
    const started = performance.now()
    try {
      this.#runs++
      if (this.#target.run(input)) this.#accepted++
    } catch (error) {
      this.#found({ input, error: error instanceof Error ? error : new Error(String(error)) })
    }
    if (performance.now() - started > SLOW_MS) this.#timeDoor(input)
  }

  /** Others use the machine as well: what counts is the time of the processor, and the least of it. */
  #timeDoor(input: Buffer): void {
    let fastest = Number.POSITIVE_INFINITY
    for (let left = TRIES; left > 0; left--) {
      const before = process.threadCpuUsage()
      this.#target.door(input)
      const { user, system } = process.threadCpuUsage(before)
      fastest = Math.min(fastest, (user + system) / 1000)
    }
    this.#slowestMs = Math.max(this.#slowestMs, fastest)
    if (fastest > SLOW_MS) this.#found({ input, error: new Error(`takes ${Math.round(fastest)} ms`) })
  }
}
