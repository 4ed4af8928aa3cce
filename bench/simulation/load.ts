/** How the rate of all senders changes over time: each factor holds from its time on, 1 before the first. */
export class Load {
  readonly #steps: readonly (readonly [fromMs: number, factor: number])[]

  constructor(steps: readonly (readonly [fromMs: number, factor: number])[] = []) {
    this.#steps = steps
  }

  at(ms: number): number {
    return this.#steps.findLast(([from]) => from <= ms)?.[1] ?? 1
  }

  /** The time integral of the factor: what a sender of one record per millisecond writes between two times. */
  between(from: number, to: number): number {
    let sum = 0
    let factor = 1
    let at = from
    for (const [start, next] of this.#steps) {
      if (start >= to) break
      if (start > at) {
        sum += (start - at) * factor
        at = start
      }
      factor = next
    }
    return sum + (to - at) * factor
  }
}
