/** Children of a node in the heap: four, so that it is flat and what is compared lies together. */
const ARITY = 4
const FIRST_CAPACITY = 1024

/** Simulated time in milliseconds. Actions run in the order of their times, those of one time in the order they were planned. */
export class Clock {
  #now = 0
  #planned = 0
  /** A heap over three parallel columns: the next event is at 0. */
  #times = new Float64Array(FIRST_CAPACITY)
  #orders = new Float64Array(FIRST_CAPACITY)
  readonly #actions: (() => void)[] = []

  get now(): number {
    return this.#now
  }

  /** Runs `action` when `ms` have passed. It cannot be taken back: an action that may be too late checks for itself. */
  after(ms: number, action: () => void): void {
    const time = this.#now + Math.max(0, ms)
    let place = this.#actions.length
    if (place === this.#times.length) this.#grow()
    const times = this.#times
    // Whatever was planned before goes before it, so that on the way up only times need comparing.
    while (place > 0) {
      const parent = Math.trunc((place - 1) / ARITY)
      if (times[parent] <= time) break
      this.#move(parent, place)
      place = parent
    }
    this.#put(place, time, this.#planned++, action)
  }

  /** Runs `action` every `ms`, the first time after `firstMs`. */
  every(ms: number, action: () => void, firstMs = ms): void {
    this.after(firstMs, () => {
      action()
      this.every(ms, action)
    })
  }

  /** Runs everything up to `ms`, and stands there. */
  runUntil(ms: number): void {
    while (this.#actions.length > 0 && this.#times[0] <= ms) {
      this.#now = this.#times[0]
      this.#takeFirst()()
    }
    this.#now = ms
  }

  #takeFirst(): () => void {
    const actions = this.#actions
    const first = actions[0]
    const action = actions.pop() as () => void
    const size = actions.length
    if (size === 0) return first
    const time = this.#times[size]
    const order = this.#orders[size]
    let place = 0
    for (;;) {
      const child = this.#leastChild(place, size)
      if (child === -1 || !this.#isBefore(child, time, order)) break
      this.#move(child, place)
      place = child
    }
    this.#put(place, time, order, action)
    return first
  }

  #leastChild(place: number, size: number): number {
    const from = place * ARITY + 1
    if (from >= size) return -1
    let least = from
    for (let child = from + 1; child < Math.min(size, from + ARITY); child++) {
      if (this.#isBefore(child, this.#times[least], this.#orders[least])) least = child
    }
    return least
  }

  #isBefore(place: number, time: number, order: number): boolean {
    return this.#times[place] < time || (this.#times[place] === time && this.#orders[place] < order)
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]
    this.#orders[to] = this.#orders[from]
    this.#actions[to] = this.#actions[from]
  }

  #put(place: number, time: number, order: number, action: () => void): void {
    this.#times[place] = time
    this.#orders[place] = order
    this.#actions[place] = action
  }

  #grow(): void {
    const [times, orders] = [this.#times, this.#orders]
    this.#times = new Float64Array(times.length * 2)
    this.#orders = new Float64Array(times.length * 2)
    this.#times.set(times)
    this.#orders.set(orders)
  }
}
