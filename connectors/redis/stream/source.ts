import type { ConsumerOptions } from './consumer.ts'
import type { Keys } from './keys.ts'
import { Reaper } from './reaper.ts'
import { type Held, Worker, type WorkerOptions } from './worker.ts'

/**
 * A script cannot block, so a queue that was emptied is asked again after a while, and less and less often. What is
 * taken once has cost less than what is taken bit by bit.
 */
const FIRST_PAUSE = 10
const LONGEST_PAUSE = 50
/** The same for one of several streams. */
const LONGEST_PAUSE_OF_MANY = 500
/** So few elements at once are all that the queue held. */
const FEW = 4
/** One of several streams that was empty for so long is no longer asked: see `Consumer`. */
const AWAKE = 2_000
/** For so long it keeps its place among the workers all the same. */
const MEMBERSHIP = 30_000

export interface SourceOptions extends ConsumerOptions {
  readonly stream: string
  readonly weight: number
  readonly onGone: (worker: Worker) => void
  readonly onPoison: (elements: number, records: number) => void
}

/** An element that was taken, and the worker that holds it. */
export interface Taken extends Held {
  readonly worker: Worker
}

/** One stream as a consumer sees it: when to ask it for more, and how much is its turn. */
export class Source {
  readonly name: string
  readonly weight: number
  readonly keys: Keys
  /** Bytes that it may still take in this round; below 0 where it took more than its share. */
  deficit = 0
  /** When to ask next, of the steady clock; Infinity while it sleeps. */
  due: number
  readonly #options: Omit<WorkerOptions, 'client'> & SourceOptions
  readonly #reaper: Reaper
  #worker: Worker | undefined
  #pause = FIRST_PAUSE
  #lastTaken = performance.now()

  constructor(options: SourceOptions) {
    this.name = options.stream
    this.weight = options.weight
    this.keys = options.naming.keys(options.stream)
    this.#options = { ...options, keys: this.keys }
    this.due = options.several ? Number.POSITIVE_INFINITY : 0
    this.#reaper = new Reaper(this.#options)
    this.#reaper.start()
  }

  /** Elements taken and not settled yet. */
  get held(): number {
    return this.#worker?.held ?? 0
  }

  /** Takes what waits, until it has `maxBytes`. */
  async take(
    maxBytes: number,
    alone: boolean,
  ): Promise<{ taken: Taken[]; suspectWaits: boolean; more: boolean }> {
    const worker = await this.#member()
    const began = performance.now()
    const { taken, suspectWaits } = await worker.take(maxBytes, alone)
    const bytes = taken.reduce((sum, element) => sum + element.bytes.length, 0)
    const full = taken.length === this.#options.config.prefetch
    this.#plan(taken.length, began)
    return {
      taken: taken.map((held) => ({ ...held, worker })),
      suspectWaits,
      more: full || bytes >= maxBytes || suspectWaits,
    }
  }

  /** Asks again after a while. */
  postpone(ms: number): void {
    this.due = performance.now() + ms
  }

  /** Looks whether something came while it slept, and gives its place up after a while. */
  async wake(): Promise<void> {
    const { clientOf, group } = this.#options
    if (this.due !== Number.POSITIVE_INFINITY) return
    const client = await clientOf(this.keys.dead)
    const length = await client.command('LLEN', [this.keys.queue(group)])
    if (Number(length) > 0) {
      this.due = 0
      this.#pause = FIRST_PAUSE
      this.#lastTaken = performance.now()
    } else if (this.held === 0 && performance.now() - this.#lastTaken > MEMBERSHIP) void this.leave()
  }

  /** Puts back what is held, in order. Never throws. */
  async leave(): Promise<void> {
    await this.#worker?.leave()
  }

  close(): void {
    this.#reaper.stop()
  }

  #plan(taken: number, now: number): void {
    const { prefetch } = this.#options.config
    if (taken > 0) this.#lastTaken = now
    const { several } = this.#options
    const longest = several ? LONGEST_PAUSE_OF_MANY : LONGEST_PAUSE
    this.#pause = taken === 0 ? Math.min(this.#pause * 1.5, longest) : FIRST_PAUSE
    if (several && now - this.#lastTaken > AWAKE) this.due = Number.POSITIVE_INFINITY
    else this.due = taken < Math.min(FEW, prefetch) ? now + this.#pause : now
  }

  async #member(): Promise<Worker> {
    if (this.#worker && !this.#worker.gone) return this.#worker
    const client = await this.#options.clientOf(this.keys.dead)
    const worker: Worker = new Worker({ ...this.#options, client }, () => this.#options.onGone(worker))
    await worker.join()
    this.#worker = worker
    return worker
  }
}
