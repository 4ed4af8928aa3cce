import type { Codec } from '../../../src/buffer/codec.ts'
import { readLabel } from '../../../src/buffer/label.ts'
import { SUSPECT_DELIVERIES } from '../../../src/buffer/poison.ts'
import { MissingKeyError } from '../../../src/buffer/seal.ts'
import { unlessAborted } from '../../../src/buffer/unless-aborted.ts'
import type { Lease } from '../../../src/component.ts'
import type { ComponentContext } from '../../../src/define.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { memory } from '../../../src/memory.ts'
import type { RateLimitedLog } from '../../../src/telemetry/logger.ts'
import type { RedisConfig } from '../config.ts'
import { pause } from '../connection/pause.ts'
import { OldestAge } from './age.ts'
import { ConsumerCounters } from './counters.ts'
import type { Naming } from './naming.ts'
import type { Registry } from './registry.ts'
import { Rota } from './rota.ts'
import { Source, type Taken } from './source.ts'
import type { ClientOf } from './streams.ts'
import { weightOf } from './weights.ts'
import type { Content, Outcome, Worker } from './worker.ts'

/** Nothing is asked for longer than this while nobody sleeps. */
const LONGEST_REST = 50
const TROUBLE_PAUSE = 500
/** How often streams that sleep are looked at: one short command each. */
const WAKE_INTERVAL = 500
const KEY_PAUSE = 1_000

export interface ConsumerOptions {
  readonly clientOf: ClientOf
  readonly naming: Naming
  readonly registry: Registry
  readonly group: string
  readonly config: RedisConfig
  readonly codec: Codec
  readonly context: ComponentContext
  readonly log: RateLimitedLog
  /** There may be more than one stream. */
  readonly several: boolean
  /** The identity key; throws while it is unknown. */
  readonly identity: () => Buffer
}

/** What was found in an element. */
interface Opened {
  /** Or why it is none. */
  readonly batch: LogBatch | string
  /** How often it was handed out before. */
  readonly deliveries: number
}

/** A batch somebody has. */
interface Loan {
  readonly worker: Worker
  readonly number: number
  readonly content: Content
  readonly receivedMs: number
}

/** Hands out what waits in the queues of one group, in turns where there are several streams. */
export class Consumer {
  readonly #options: ConsumerOptions
  readonly #ending = new AbortController()
  readonly #age: OldestAge
  readonly #counters: ConsumerCounters
  readonly #rota = new Rota()
  /** As the registry last had them. */
  #names: readonly string[] = []
  readonly #lent = new Set<Loan>()
  /** Released batches whose time has not come, and how to let them go. */
  readonly #delayed = new Map<NodeJS.Timeout, () => void>()
  /** Taken, and not handed out yet. */
  #ready: Taken[] = []
  /** A stream whose next element is a suspect: nothing else is taken until that one has been settled. */
  #suspected: Source | undefined
  /** The batch on loan is a suspect. */
  #alone = false
  #onQuiet: (() => void)[] = []
  #taking: Promise<void> | undefined
  #waking: NodeJS.Timeout | undefined
  #stopping = false

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#age = new OldestAge(options, {
      queues: () =>
        this.#rota.sources.filter(({ due }) => due !== Number.POSITIVE_INFINITY).map(({ name }) => name),
      oldestHeldMs: () => Math.min(...[...this.#lent].map(({ receivedMs }) => receivedMs)),
    })
    this.#counters = new ConsumerCounters(options.context.metrics, options.group)
  }

  /**
   * Ends soon after `signal` aborts. What was not handed out goes back at once; what was, stays with whoever has
   * it, until that is settled or the consumer is stopped.
   */
  async *leases(signal: AbortSignal): AsyncGenerator<Lease, void, undefined> {
    const ended = this.#ending.signal
    const end = (): void => this.#end()
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    this.#age.start()
    if (this.#options.several) this.#waking = setInterval(() => this.#wake(), WAKE_INTERVAL).unref()
    try {
      while (!ended.aborted) {
        this.#follow()
        if (this.#alone || this.#suspected) await unlessAborted(this.#quiet(), ended)
        if (ended.aborted) break
        this.#alone = false
        this.#taking = this.#take()
        await unlessAborted(this.#taking, ended)
        while (this.#ready.length > 0 && !ended.aborted) {
          const opened = this.#open(this.#ready[0].bytes)
          // It stays here, and with it what follows: nothing overtakes, and nothing is lost.
          if (opened === undefined) await pause(KEY_PAUSE, ended)
          else {
            const lease = await this.#lend(this.#ready.shift() as Taken, opened)
            if (lease) yield lease
          }
        }
        if (this.#suspected) continue
        const rest = this.#rota.pause(performance.now(), LONGEST_REST)
        if (rest > 0) await pause(rest, ended)
      }
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  /** Ends, and gives everything back that is not settled by now, in order. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true
    this.#end()
    if (this.#taking) await unlessAborted(this.#taking, deadline)
    const { sources } = this.#rota
    await unlessAborted(Promise.all(sources.map((source) => source.leave())), deadline)
    for (const timer of this.#delayed.keys()) clearTimeout(timer)
    for (const source of sources) source.close()
  }

  /** Takes part in streams that have come, and leaves those that are gone. */
  #follow(): void {
    const { names } = this.#options.registry
    if (names === this.#names) return
    this.#names = names
    for (const stream of names) {
      if (this.#rota.get(stream)) continue
      const source: Source = new Source({
        ...this.#options,
        stream,
        weight: weightOf(stream, this.#options.config.weights),
        onGone: (worker) => this.#forget(worker),
        onPoison: (elements, records) => this.#poisoned(stream, elements, records),
      })
      this.#rota.add(source)
    }
    for (const source of this.#rota.sources) {
      if (names.includes(source.name) || source.held > 0) continue
      source.close()
      void source.leave()
      this.#rota.remove(source)
    }
    this.#wake()
  }

  #wake(): void {
    for (const source of this.#rota.sources) {
      source.wake().catch((err: unknown) => {
        this.#options.log.warn('wake', { err, stream: source.name }, 'a stream could not be looked at')
      })
    }
  }

  /** Never throws. */
  async #take(): Promise<void> {
    const { log, group, identity } = this.#options
    const alone = this.#held() === 0
    const turn = this.#rota.next(performance.now(), this.#suspected)
    this.#suspected = undefined
    try {
      if (turn === undefined) return
      identity()
      const { taken, suspectWaits, more } = await turn.source.take(turn.maxBytes, alone)
      this.#ready = taken
      const bytes = taken.reduce((sum, element) => sum + element.bytes.length, 0)
      this.#rota.took(turn, bytes, more)
      if (suspectWaits) this.#suspected = turn.source
      if (suspectWaits && alone && taken.length === 0) await pause(TROUBLE_PAUSE, this.#ending.signal)
    } catch (err) {
      log.warn('take', { err, group, stream: turn?.source.name }, 'nothing could be taken from the queue')
      turn?.source.postpone(TROUBLE_PAUSE)
    } finally {
      this.#taking = undefined
      if (this.#ending.signal.aborted) this.#end()
    }
  }

  async #lend({ worker, number }: Taken, { batch, deliveries }: Opened): Promise<Lease | undefined> {
    if (typeof batch === 'string') {
      const content = { records: 0, foreign: true }
      void this.#settle({ worker, number, content, receivedMs: Date.now() }, 'bury', batch)
      return undefined
    }
    const content = { records: batch.size, foreign: !batch.sealed }
    const loan = { worker, number, content, receivedMs: batch.receivedMs }
    if (batch.size === 0) {
      void this.#settle(loan, 'ack')
      return undefined
    }
    if (deliveries >= SUSPECT_DELIVERIES) {
      this.#alone = true
      // Should it end this process, whoever buries it need not unpack it to count what is lost.
      await unlessAborted(worker.settle(number, 'note', content), this.#ending.signal)
      if (this.#ending.signal.aborted) void this.#settle(loan, 'return')
      if (this.#ending.signal.aborted || worker.gone) return undefined
    }
    return this.#leaseOf(batch, loan)
  }

  #leaseOf(batch: LogBatch, loan: Loan): Lease {
    this.#lent.add(loan)
    let settled = false
    const once = async (settle: () => Promise<void>): Promise<void> => {
      if (settled) return
      settled = true
      await settle()
    }
    return {
      batch,
      ack: () => once(() => this.#settle(loan, 'ack')),
      release: (delayMs) => once(() => this.#release(loan, delayMs)),
    }
  }

  /** What cannot be opened never will be: says why. Nothing, where only the key is missing. */
  #open(bytes: Buffer): Opened | undefined {
    const { codec, identity, log, group } = this.#options
    const deliveries = readLabel(bytes).label?.deliveries ?? 0
    try {
      const batch = codec.open(bytes)
      batch.identify(identity())
      if (batch.data.bytes.buffer !== bytes.buffer) freeReply(bytes)
      return { batch, deliveries }
    } catch (err) {
      if (err instanceof MissingKeyError) return undefined
      log.warn(
        'undecodable',
        { err, group, bytes: bytes.length },
        'an element is no batch: it was buried as it is',
      )
      this.#counters.undecodable()
      return { batch: `it is no batch: ${err instanceof Error ? err.message : String(err)}`, deliveries }
    }
  }

  async #settle(loan: Loan, outcome: Outcome, reason?: string): Promise<void> {
    const settled = await loan.worker.settle(loan.number, outcome, loan.content, reason)
    this.#lent.delete(loan)
    if (settled && outcome === 'ack') this.#counters.acked(loan.content.records)
    this.#settledOne()
  }

  /**
   * The wait is spent here, in flight: an element in the queue could not be told to stay. Given back while the
   * consumer takes, it was not delivered for some fault; given back at the end, it was not delivered in time.
   */
  async #release(loan: Loan, delayMs: number): Promise<void> {
    const outcome = this.#ending.signal.aborted ? 'return' : 'release'
    const back = (): void => void this.#settle(loan, outcome)
    if (delayMs <= 0 || this.#ending.signal.aborted) {
      back()
      return
    }
    const timer = setTimeout(() => {
      this.#delayed.delete(timer)
      back()
    }, delayMs).unref()
    this.#delayed.set(timer, back)
  }

  /** Takes no more, lets go what nobody has, and leaves once nothing is on loan. */
  #end(): void {
    this.#ending.abort()
    this.#age.stop()
    clearInterval(this.#waking)
    if (this.#stopping) return
    for (const { worker, number } of this.#ready.splice(0)) {
      const content = { records: 0, foreign: false }
      void this.#settle({ worker, number, content, receivedMs: 0 }, 'return')
    }
    for (const [timer, back] of this.#delayed) {
      clearTimeout(timer)
      back()
    }
    this.#delayed.clear()
    if (this.#taking || this.#held() > 0) return
    for (const source of this.#rota.sources) {
      source.close()
      void source.leave()
    }
  }

  /** Elements that were taken and are not settled. */
  #held(): number {
    return this.#rota.sources.reduce((sum, { held }) => sum + held, 0)
  }

  /** Resolves once nothing is held. */
  #quiet(): Promise<void> {
    if (this.#held() === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onQuiet.push(resolve))
  }

  #settledOne(): void {
    if (this.#held() === 0) for (const resolve of this.#onQuiet.splice(0)) resolve()
    if (this.#ending.signal.aborted) this.#end()
  }

  /** What a worker held that lost its place is somebody else's. */
  #forget(worker: Worker): void {
    this.#ready = this.#ready.filter((taken) => taken.worker !== worker)
    for (const loan of this.#lent) if (loan.worker === worker) this.#lent.delete(loan)
    if (this.#held() === 0) for (const resolve of this.#onQuiet.splice(0)) resolve()
  }

  #poisoned(stream: string, elements: number, records: number): void {
    const { context, group } = this.#options
    context.log.warn(
      { group, stream, elements, records },
      'buried what was handed out max_deliveries times without success',
    )
    this.#counters.poisoned(elements, records)
  }
}

/**
 * Lets go of an element that was unpacked. The client puts a long string together in memory of its own; a short one
 * lies beside others, in what the socket read.
 */
function freeReply(bytes: Buffer): void {
  if (bytes.length === bytes.buffer.byteLength) memory.give(memory.adopt(bytes))
}
