import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'

interface Job {
  /** Asked when the work begins, since what it costs may have changed while it waited. Milliseconds. */
  readonly cost: () => number
  readonly done: () => void
}

/** Something that works on a few jobs at a time, in the order they came: a core, a Redis server, the write threads of a cluster. */
export class Server {
  readonly #clock: Clock
  readonly #waiting = new Fifo<Job>()
  #slots: number
  #busy = 0
  /** Grows when everything is dropped, so that what was under way ends unheard. */
  #life = 0
  #busyMs = 0
  #jobMs = 0
  #countedAt = 0

  constructor(clock: Clock, slots = 1) {
    this.#clock = clock
    this.#slots = slots
  }

  /** Jobs that wait or are worked on. */
  get jobs(): number {
    return this.#waiting.length + this.#busy
  }

  /** Milliseconds of work done so far, by all slots together. */
  get busyMs(): number {
    this.#count()
    return this.#busyMs
  }

  /** The time integral of `jobs`: divided by the time it is their mean number. */
  get jobMs(): number {
    this.#count()
    return this.#jobMs
  }

  run(cost: () => number, done: () => void): void {
    this.#count()
    const job = { cost, done }
    if (this.#busy < this.#slots) this.#begin(job)
    else this.#waiting.push(job)
  }

  /** Changes how many jobs it works on at a time; those begun are finished. */
  resize(slots: number): void {
    this.#count()
    this.#slots = slots
    this.#next()
  }

  /** Drops everything, as a crash does. */
  reset(): void {
    this.#count()
    this.#life++
    this.#busy = 0
    this.#waiting.clear()
  }

  #begin(job: Job): void {
    const life = this.#life
    this.#busy++
    this.#clock.after(job.cost(), () => {
      if (life !== this.#life) return
      this.#count()
      this.#busy--
      this.#next()
      job.done()
    })
  }

  #next(): void {
    while (this.#busy < this.#slots) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#begin(job)
    }
  }

  #count(): void {
    const passed = this.#clock.now - this.#countedAt
    this.#busyMs += passed * this.#busy
    this.#jobMs += passed * this.jobs
    this.#countedAt = this.#clock.now
  }
}
