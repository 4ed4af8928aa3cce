import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeLetter } from '../../../src/buffer/label.ts'
import { poisonReason, SUSPECT_DELIVERIES } from '../../../src/buffer/poison.ts'
import type { RateLimitedLog } from '../../../src/telemetry/logger.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import type { Keys } from './keys.ts'
import { BEAT, LEAVE, type Script, SETTLE, TAKE } from './scripts.ts'

const RETRY_PAUSE = 250

export interface WorkerOptions {
  readonly client: RedisClient
  readonly keys: Keys
  readonly group: string
  readonly config: Pick<RedisConfig, 'prefetch' | 'heartbeat' | 'max_deliveries'>
  readonly log: RateLimitedLog
  /** Told of elements that went to the dead letters because they were released too often. */
  readonly onPoison: (elements: number, records: number) => void
}

/** An element that a worker holds. */
export interface Held {
  /** Its place in all that the worker took. */
  readonly number: number
  readonly bytes: Buffer
}

/**
 * `release` puts the element back at the head of the queue, `return` as well but without counting a delivery, `bury`
 * into the dead letters. `note` settles nothing: it keeps the number of records where it is found without unpacking.
 */
export type Outcome = 'ack' | 'release' | 'return' | 'note' | 'bury'

/** What is known of an element that is settled. */
export interface Content {
  readonly records: number
  /** Another tool put it in. */
  readonly foreign: boolean
}

interface Settlement {
  readonly number: number
  readonly outcome: Outcome
  readonly content: Content
  /** Why, should it go to the dead letters. */
  readonly reason: string
  /** Called with whether Redis did it; it does not where the worker is gone. */
  readonly done: (settled: boolean) => void
}

/**
 * One membership in a group: takes elements and settles them, by number, in whatever order. All of its commands may be
 * repeated and may arrive late, so none is ever in doubt. Once `gone` it holds nothing and does nothing: others
 * have what it held, because it did not beat in time, or the server is not the one it joined.
 */
export class Worker {
  readonly id = randomUUID()
  readonly #options: WorkerOptions
  /** Elements taken and not settled yet: how many bytes each has in Redis, where that is known. */
  readonly #held = new Map<number, number | undefined>()
  readonly #onGone: () => void
  #server: string | undefined
  #seen = 0
  #settlements: Settlement[] = []
  #settling = false
  #left: Promise<void> | undefined
  #beats: NodeJS.Timeout | undefined
  #gone = false

  constructor(options: WorkerOptions, onGone: () => void) {
    this.#options = options
    this.#onGone = onGone
  }

  get gone(): boolean {
    return this.#gone
  }

  /** How many elements it has. */
  get held(): number {
    return this.#held.size
  }

  async join(): Promise<void> {
    const { client, config, keys, group } = this.#options
    this.#server = client.server
    await client.run(BEAT, [keys.workers(group)], [this.id, 'join'])
    this.#beats = setInterval(() => void this.#beat(), config.heartbeat).unref()
  }

  /**
   * Takes what waits, up to `prefetch` elements and until it has `maxBytes`. A suspect is taken where `alone` says that
   * nothing else is on loan, and otherwise said to wait.
   */
  async take(maxBytes: number, alone: boolean): Promise<{ taken: Held[]; suspectWaits: boolean }> {
    const limits = [this.#seen, this.#options.config.prefetch, maxBytes, SUSPECT_DELIVERIES, Number(alone)]
    const elements = (await this.#run(TAKE, this.#lists(), limits)) as (Buffer | number)[] | null
    if (this.#gone || elements === null) return { taken: [], suspectWaits: false }
    const suspectWaits = typeof elements.at(-1) === 'number'
    if (suspectWaits) elements.pop()
    const taken = (elements as Buffer[]).map((bytes) => {
      const number = this.#seen++
      this.#held.set(number, bytes.length)
      return { number, bytes }
    })
    return { taken, suspectWaits }
  }

  /** Resolves once Redis has done it, with true; with false where the worker is gone. Tries until then. */
  settle(number: number, outcome: Outcome, content: Content, reason = ''): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false)
    return new Promise((done) => {
      this.#settlements.push({ number, outcome, content, reason, done })
      if (!this.#settling) void this.#settle()
    })
  }

  /** Puts everything held back into the queue, in order. Never throws: where it cannot, the reaper of another will. */
  leave(): Promise<void> {
    this.#left ??= this.#leave()
    return this.#left
  }

  async #leave(): Promise<void> {
    const { client, keys, group } = this.#options
    const last = this.#takeSettlements()
    const sent = last.length === 0 || this.#send(last)
    const lists = [keys.workers(group), keys.settled(group), keys.inflight(group), keys.queue(group)]
    const left = client.run(LEAVE, lists, [this.id]).catch(() => {})
    this.#end()
    if (!(await sent)) for (const { done } of last) done(false)
    await left
  }

  async #beat(): Promise<void> {
    const { keys, group, log } = this.#options
    try {
      await this.#run(BEAT, [keys.workers(group)], ['beat'])
    } catch (err) {
      log.warn('beat', { err }, 'no sign of life could be given')
    }
  }

  async #settle(): Promise<void> {
    this.#settling = true
    // What is settled in the same breath goes together: several releases would change places otherwise.
    await Promise.resolve()
    while (this.#settlements.length > 0) {
      const settlements = this.#takeSettlements()
      if (await this.#send(settlements)) continue
      this.#settlements.unshift(...settlements)
      await sleep(RETRY_PAUSE, undefined, { ref: false })
    }
    this.#settling = false
  }

  #takeSettlements(): Settlement[] {
    return this.#settlements.splice(0).sort((a, b) => a.number - b.number)
  }

  /** Whether there was an answer. */
  async #send(settlements: readonly Settlement[]): Promise<boolean> {
    const { keys, group, log, config, onPoison } = this.#options
    const lists = [...this.#lists(), keys.stats(group), keys.dead, keys.deadStats]
    const outcomes = settlements.flatMap((settlement) => this.#arguments(settlement))
    try {
      const reply = this.#gone ? null : await this.#run(SETTLE, lists, [config.max_deliveries, ...outcomes])
      const [elements, records] = (reply as [number, number] | null) ?? [0, 0]
      if (elements > 0) onPoison(elements, records)
      for (const { number, outcome, done } of settlements) {
        // It has got a label.
        if (outcome === 'note') this.#held.set(number, undefined)
        else this.#held.delete(number)
        done(reply !== null)
      }
      return true
    } catch (err) {
      log.warn('settle', { err }, 'what became of a batch could not be told yet')
      return false
    }
  }

  #arguments({ number, outcome, content, reason }: Settlement): (string | number | Buffer)[] {
    const what = [number, outcome, content.records, Number(content.foreign)]
    if (outcome === 'ack') return [...what, this.#held.get(number) ?? '']
    const { group: pipeline, keys } = this.#options
    const buries = outcome === 'release' || outcome === 'bury'
    const why = outcome === 'release' ? poisonReason(this.#options.config.max_deliveries) : reason
    const letter = buries
      ? writeLetter({ reason: why, pipeline, buriedMs: Date.now(), stream: keys.stream })
      : ''
    return [...what, letter]
  }

  #lists(): string[] {
    const { keys, group } = this.#options
    return [keys.workers(group), keys.settled(group), keys.inflight(group, this.id), keys.queue(group)]
  }

  async #run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const { client } = this.#options
    const moved = client.server !== undefined && client.server !== this.#server
    const reply = moved ? null : await client.run(script, keys, [this.id, ...args])
    if (reply === null && !this.#gone) {
      this.#options.log.warn(
        'gone',
        { worker: this.id, held: this.#held.size },
        'lost its place in the group: others deliver what it held',
      )
      this.#end()
      void this.leave()
    }
    return reply
  }

  #end(): void {
    if (this.#gone) return
    this.#gone = true
    clearInterval(this.#beats)
    this.#held.clear()
    for (const { done } of this.#settlements.splice(0)) done(false)
    this.#onGone()
  }
}
