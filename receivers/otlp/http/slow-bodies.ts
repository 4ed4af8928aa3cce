/** How exactly times are kept: one clock for all is cheaper than one a request. */
const TICK_MS = 250

/** Something that may take too long. */
interface Timed {
  checkTime(now: number): void
}

/** The requests of a server that are being read. */
export class SlowBodies {
  readonly #reading = new Set<Timed>()
  #clock: NodeJS.Timeout | undefined

  start(): void {
    this.#clock = setInterval(() => this.#look(), TICK_MS).unref()
  }

  /** Looks at `body` several times a second until `done` has settled. */
  async watch<T>(body: Timed, done: Promise<T>): Promise<T> {
    this.#reading.add(body)
    try {
      return await done
    } finally {
      this.#reading.delete(body)
    }
  }

  stop(): void {
    clearInterval(this.#clock)
  }

  #look(): void {
    const now = performance.now()
    for (const body of this.#reading) body.checkTime(now)
  }
}
