import { Session } from 'node:inspector'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

/** What of the source has run, told by V8's block coverage of this thread. */
export class Coverage {
  readonly #session = new Session()
  readonly #isWatched: (url: string) => boolean
  /** A byte for each character of each script: 1 once it ran. */
  readonly #reached = new Map<string, Uint8Array>()

  /** What the last look found. */
  #last: [url: string, at: number][] = []

  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Characters of code that have run for the first time since the last call. */
  take(): number {
    this.#last = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error
      for (const { url, functions } of result) {
        if (!this.#isWatched(url)) continue
        this.#add(url, functions)
      }
    })
    return this.#last.length
  }

  /** Takes back what the last call of `take` found. */
  forget(): void {
    for (const [url, at] of this.#last) (this.#reached.get(url) as Uint8Array)[at] = 0
  }

  /** Characters that have ever run. */
  get total(): number {
    let total = 0
    for (const reached of this.#reached.values()) total += reached.reduce((sum, one) => sum + one, 0)
    return total
  }

  /** Ranges lie in one another, functions too, the outer before the inner: the innermost says whether a character ran. */
  #add(url: string, functions: readonly { readonly ranges: readonly Range[] }[]): void {
    const ranges = functions.flatMap((one) => one.ranges)
    if (!ranges.some(({ count }) => count > 0)) return
    const ran = new Uint8Array(ranges.reduce((end, { endOffset }) => Math.max(end, endOffset), 0))
    for (const { startOffset, endOffset, count } of ranges)
      ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
    const reached = this.#roomFor(url, ran.length)
    for (let at = 0; at < ran.length; at++) {
      if (ran[at] === 0 || reached[at] === 1) continue
      reached[at] = 1
      this.#last.push([url, at])
    }
  }

  #roomFor(url: string, size: number): Uint8Array {
    const known = this.#reached.get(url)
    if (known !== undefined && known.length >= size) return known
    const room = new Uint8Array(size)
    if (known !== undefined) room.set(known)
    this.#reached.set(url, room)
    return room
  }

  stop(): void {
    this.#session.disconnect()
  }
}
