import type { QueueCounts } from '../../connectors/redis/server/drain-rate.ts'
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import type { Ledger, Refusal, Request } from './ledger.ts'
import type { Random } from './random.ts'
import { Server } from './server.ts'
import type { RedisRules } from './topology.ts'

/** One element of the queue in Redis. */
export interface Element {
  readonly requests: readonly Request[]
  readonly records: number
  /** Of OTLP, before compression. */
  readonly bytes: number
  pushedMs: number
}

export interface ShardSettings {
  /** Bytes. */
  readonly maxMemory: number
  /** Bytes in use when the queue is empty. */
  readonly emptyMemory: number
  /** Bytes of memory that a compressed record takes. */
  readonly memoryPerRecord: number
  /** CPU milliseconds of the server. */
  readonly pushPerRecord: number
  readonly takePerRecord: number
  readonly settlePerRecord: number
  /** How far the replica is behind, in milliseconds. */
  readonly replicationLag: number
}

export interface ShardOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: Ledger
  readonly config: RedisRules
  readonly settings: ShardSettings
}

/** Who takes elements. */
export interface Worker {
  /** There may be something to take. */
  wake(): void
  /** What it held has been given to others. */
  expelled(): void
}

/** Bytes after which a worker takes no more at once (connectors/redis/stream/worker.ts). */
const TAKE_BYTES = 16 * 1024 * 1024
/** The pauses of a worker that finds nothing (connectors/redis/stream/consumer.ts). */
const LONGEST_PAUSE = 50

/** A Redis primary with the lists of the connector, and a replica that follows a little behind. */
export class Shard {
  readonly cpu: Server
  readonly maxMemory: number
  readonly #options: ShardOptions
  readonly #queue = new Fifo<Element>()
  readonly #held = new Map<Worker, Set<Element>>()
  readonly #idle = new Set<Worker>()
  /** Taken off within the replication lag: the replica may not know yet. */
  #settled: { readonly at: number; readonly element: Element }[] = []
  /** How to fail the commands that nothing answers. */
  readonly #unanswered = new Set<() => void>()
  #records = 0
  #pushed = 0
  #up = true
  #failedMs = 0
  /** False once clients know that it is away. */
  answers = true

  constructor(options: ShardOptions) {
    this.#options = options
    this.maxMemory = options.settings.maxMemory
    this.cpu = new Server(options.clock)
  }

  /** Records in the buffer, in flight or not. */
  get records(): number {
    return this.#records
  }

  get usedMemory(): number {
    return this.#options.settings.emptyMemory + this.memoryOf(this.#records)
  }

  /** Bytes that so many records take. */
  memoryOf(records: number): number {
    return records * this.#options.settings.memoryPerRecord
  }

  /** What its statistics say of the queue. */
  get counts(): QueueCounts {
    return {
      queue: 'logs',
      records: this.#records,
      bytes: this.memoryOf(this.#records),
      pushed: this.#pushed,
    }
  }

  /** Every element that the buffer holds. */
  *elements(): Generator<Element, void, undefined> {
    yield* this.#queue
    for (const held of this.#held.values()) yield* held
  }

  /** `done` gets the reason when the element was not stored, or nobody knows whether it was. */
  push(element: Element, done: (refusal?: Refusal) => void): void {
    const { clock, settings } = this.#options
    this.#command(
      () => settings.pushPerRecord * element.records,
      () => {
        if (this.usedMemory >= this.maxMemory) {
          done('full')
          return
        }
        element.pushedMs = clock.now
        this.#store(element)
        this.#queue.push(element)
        this.#wakeOne()
        done()
      },
      () => done('unreachable'),
    )
  }

  /** `done` gets nothing when there was no answer. */
  take(worker: Worker, done: (elements?: readonly Element[]) => void): void {
    const { settings, config } = this.#options
    const taken: Element[] = []
    let records = 0
    this.#command(
      () => {
        while (taken.length < config.prefetch && records * settings.memoryPerRecord < TAKE_BYTES) {
          const element = this.#queue.shift()
          if (element === undefined) break
          taken.push(element)
          records += element.records
        }
        const held = this.#held.get(worker) ?? new Set()
        for (const element of taken) held.add(element)
        this.#held.set(worker, held)
        return settings.takePerRecord * records
      },
      () => done(taken),
      () => done(undefined),
    )
  }

  /** A worker that found nothing asks again by itself; whoever does first gets the next element. */
  idle(worker: Worker): void {
    this.#idle.add(worker)
  }

  settle(worker: Worker, elements: readonly Element[], done: () => void): void {
    const { clock, settings, ledger } = this.#options
    this.#command(
      () => settings.settlePerRecord * elements.reduce((sum, { records }) => sum + records, 0),
      () => {
        const held = this.#held.get(worker)
        for (const element of elements) {
          if (!held?.delete(element)) continue
          this.#settled.push({ at: clock.now, element })
          this.#records -= element.records
          for (const request of element.requests) ledger.drop(request, 'failover')
        }
        while (this.#settled.length > 0 && this.#settled[0].at < clock.now - settings.replicationLag) {
          this.#settled.shift()
        }
        done()
      },
      done,
    )
  }

  /** Puts what a worker holds back at the head of the queue. */
  putBack(worker: Worker): void {
    const held = this.#held.get(worker)
    if (held === undefined || held.size === 0) return
    this.#queue.unshift([...held])
    this.#held.delete(worker)
    for (let i = 0; i < this.#queue.length && this.#idle.size > 0; i++) this.#wakeOne()
  }

  /** The primary is gone, with its zone: nothing answers, until clients give up waiting and know. */
  fail(): void {
    const { clock, config } = this.#options
    this.#up = false
    this.#failedMs = clock.now
    this.cpu.reset()
    clock.after(config.command_timeout, () => {
      this.answers = false
      const unanswered = [...this.#unanswered]
      this.#unanswered.clear()
      for (const fail of unanswered) fail()
    })
  }

  /** The replica takes over with what it had received. Workers join anew, and what they held is handed out again. */
  promote(): void {
    const { settings, ledger } = this.#options
    const known = this.#failedMs - settings.replicationLag
    const kept: Element[] = []
    for (const element of this.elements()) {
      if (element.pushedMs <= known) kept.push(element)
      else {
        this.#records -= element.records
        for (const request of element.requests) ledger.drop(request, 'failover')
      }
    }
    for (const { at, element } of this.#settled) {
      if (at <= known || element.pushedMs > known) continue
      this.#store(element)
      kept.push(element)
    }
    this.#settled = []
    this.#queue.clear()
    kept.sort((a, b) => a.pushedMs - b.pushedMs)
    this.#queue.unshift(kept)
    const workers = [...this.#held.keys()]
    this.#held.clear()
    this.#up = true
    this.answers = true
    for (const worker of workers) worker.expelled()
  }

  #store(element: Element): void {
    this.#records += element.records
    this.#pushed += element.records
    for (const request of element.requests) this.#options.ledger.keep(request)
  }

  #command(cost: () => number, done: () => void, failed: () => void): void {
    if (!this.answers) {
      failed()
      return
    }
    this.#unanswered.add(failed)
    if (!this.#up) return
    this.cpu.run(cost, () => {
      this.#unanswered.delete(failed)
      done()
    })
  }

  /** Of several that look now and then, each after a pause of its own, the first is quicker than any one. */
  #wakeOne(): void {
    const [first] = this.#idle
    if (first === undefined) return
    const { clock, random } = this.#options
    const pause = LONGEST_PAUSE * (1 - random.uniform() ** (1 / this.#idle.size))
    this.#idle.delete(first)
    clock.after(pause, () => first.wake())
  }
}
