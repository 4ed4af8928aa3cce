import type { Spill } from '../spill/spill.ts'
import type { Transport } from '../transport/answer.ts'
import { createTransport } from '../transport/create.ts'
import { withoutSecrets } from '../transport/destination.ts'
import { BatchMaker, type NumberedBatch } from './batch.ts'
import { CounterBook, type Counters, type DropReason } from './counters.ts'
import { Delivery } from './delivery.ts'
import { type Leaving, onExit } from './exit.ts'
import { Flights } from './flights.ts'
import { Health } from './health.ts'
import { observe } from './metrics.ts'
import { openSpill } from './open-spill.ts'
import type { PipeOptions } from './options.ts'
import { isBefore, RecordQueue } from './queue.ts'
import { Replay } from './replay.ts'
import { Reporter } from './reporter.ts'
import { Schedule } from './schedule.ts'
import type { RecordSink, Scope } from './sink.ts'
import { Waiters } from './waiters.ts'
import { Window } from './window.ts'

/** Servers take messages of 4 MiB unless told otherwise; what stands around a record takes some of it. */
const LARGEST_RECORD = 4 * 2 ** 20 - 64 * 1024
/** With `overflow: 'spill'`, batches go to disk when this part of the memory is taken. */
const SPILL_MARK = 1 / 2
const MOST_SEVERE = 24

/** The way of encoded records to a collector. */
export interface Pipe extends RecordSink {
  /**
   * Sends what was accepted before the call. Resolves with true once none of it is in memory any more: it was taken,
   * refused, or is on disk; with false when time is up. Keeps the process alive meanwhile.
   *
   * @param timeoutMillis `flushTimeoutMillis` of the options without it.
   */
  flush(timeoutMillis?: number): Promise<boolean>
  /**
   * Flushes, with what is on disk, as long as the collector takes it; then ends: what is left in memory is written to
   * disk, or dropped and counted, and so is what is logged after. Calls after the first wait for the same end. Resolves with whether nothing was dropped for want of time.
   */
  shutdown(timeoutMillis?: number): Promise<boolean>
  readonly counters: Counters
  /** Records in memory, and bytes of files on disk. */
  readonly waiting: { readonly records: number; readonly spillBytes: number }
}

/** Opens the way to a collector. Never throws; what is wrong with the options shows in diagnostics and counters. */
export function createPipe(options: PipeOptions): Pipe {
  return new LogPipe(options)
}

class LogPipe implements Pipe {
  readonly counters: CounterBook
  readonly #options: PipeOptions
  readonly #queue: RecordQueue
  readonly #maker: BatchMaker
  readonly #transport: Transport
  readonly #health: Health
  readonly #delivery: Delivery
  readonly #spill: Spill | undefined
  readonly #replay: Replay | undefined
  readonly #flights: Flights
  readonly #schedule: Schedule
  readonly #waiters = new Waiters()
  readonly #reporter: Reporter
  readonly #window: Window | undefined
  readonly #undo: (() => void)[] = []
  readonly #largest: number
  #batched = 0
  /** Records up to this number should be on disk. */
  #endangered: number | undefined
  #closed = false
  #ending: Promise<boolean> | undefined

  constructor(options: PipeOptions) {
    const { destination, diagnostics, queue, resource, retry } = options
    this.#options = options
    this.#largest = Math.min(queue.maxBytes, LARGEST_RECORD - resource.length)
    this.counters = new CounterBook(options.onDrop, () => this.#reporter.notice())
    this.#health = new Health(retry.initialMillis)
    this.#reporter = new Reporter(this.counters, diagnostics, () => this.#problem())
    this.#queue = new RecordQueue(queue, (severity, bytes) =>
      this.counters.drop('queue_full', severity, 1, bytes),
    )
    this.#maker = new BatchMaker(resource)
    this.#schedule = new Schedule(
      options.batch.delayMillis,
      () => this.#queue.newest,
      () => this.#pump(),
    )
    this.#transport = createTransport(destination, diagnostics)
    this.#delivery = new Delivery(this.#transport, retry, this.#health, this.counters, () =>
      this.#health.away ? this.#reporter.notice() : undefined,
    )
    this.#spill = openSpill(options.spill, this.counters, diagnostics)
    this.#flights = new Flights({
      options,
      queue: this.#queue,
      delivery: this.#delivery,
      health: this.#health,
      counters: this.counters,
      spill: this.#spill,
      landed: () => this.#pump(),
      left: () => this.#left(),
    })
    if (this.#spill !== undefined) {
      this.#replay = new Replay(this.#spill, this.#delivery, this.counters, () => this.#pump())
      this.#replay.run().catch((error) => diagnostics.warn('spill', `the replay has ended: ${String(error)}`))
      const { windowMillis = 0 } = options.spill ?? {}
      if (windowMillis > 0 && Number.isFinite(windowMillis)) {
        this.#window = new Window(windowMillis, {
          newest: () => this.#queue.newest,
          send: (through) => this.#sendThrough(through),
          protect: (through) => this.#protect(through),
        })
      }
    }
    if (options.exitHooks) this.#undo.push(onExit(this.#leaving()))
    const { meterProvider } = options
    if (meterProvider !== undefined)
      this.#undo.push(observe(meterProvider, destination, () => this.#readings()))
  }

  get waiting(): { readonly records: number; readonly spillBytes: number } {
    return { records: this.#queue.usedRecords, spillBytes: this.#spill?.bytes ?? 0 }
  }

  accept(scope: Scope, severity: number, bytes: Uint8Array, start: number, end: number): boolean {
    const level = severity >= 1 && severity <= MOST_SEVERE ? severity | 0 : 0
    if (this.#closed) return this.#refuse('shutdown', level, end - start)
    if (end - start > this.#largest) return this.#refuse('too_large', level, end - start)
    try {
      if (!this.#queue.offer(scope, level, bytes, start, end))
        return this.#refuse('queue_full', level, end - start)
    } catch {
      // No memory for another chunk.
      return this.#refuse('queue_full', level, end - start)
    }
    this.counters.accepted++
    this.#window?.watch()
    if (this.#full()) this.#schedule.soon()
    else this.#schedule.later()
    return true
  }

  async flush(timeoutMillis = this.#options.flushTimeoutMillis): Promise<boolean> {
    const through = this.#queue.newest
    const flushed = this.#waiters.wait(through, timeoutMillis)
    this.#delivery.hurry()
    this.#sendThrough(through)
    return flushed
  }

  /** Flushes, and uses what is left of the time for what is on disk. */
  async #finish(timeoutMillis = this.#options.flushTimeoutMillis): Promise<boolean> {
    const end = performance.now() + timeoutMillis
    const flushed = await this.flush(timeoutMillis)
    if (flushed) await this.#replay?.drain(end - performance.now())
    return flushed
  }

  shutdown(timeoutMillis?: number): Promise<boolean> {
    return (this.#ending ??= this.#end(timeoutMillis))
  }

  async #end(timeoutMillis: number | undefined): Promise<boolean> {
    this.#closed = true
    await this.#finish(timeoutMillis)
    const { shutdown, spill_full, spill_failed } = this.counters.dropped
    this.#save('pipe')
    const { dropped } = this.counters
    return (
      dropped.shutdown + dropped.spill_full + dropped.spill_failed === shutdown + spill_full + spill_failed
    )
  }

  /** Accounts for all that is in memory, and ends all that goes on. */
  #save(kind: string): void {
    this.#closed = true
    for (const undo of this.#undo.splice(0)) undo()
    this.#schedule.stop()
    this.#window?.stop()
    this.#replay?.stop()
    this.#flights.save()
    while (this.#queue.records > 0) this.#flights.saveBatch(this.#take())
    this.#spill?.close()
    this.#transport.close()
    this.#waiters.settle(undefined)
    this.counters.tell()
    this.#reporter.tell(kind)
  }

  #leaving(): Leaving {
    return {
      pending: () => this.#queue.usedRecords > 0,
      flush: () => this.#finish(),
      uncaught: (error, origin) => {
        try {
          this.#options.onUncaught?.(error, origin)
        } catch {
          // The process ends for a better reason.
        }
      },
      exit: () => this.#save('exit'),
    }
  }

  #refuse(reason: DropReason, severity: number, bytes: number): false {
    this.counters.drop(reason, severity, 1, bytes)
    return false
  }

  #full(): boolean {
    const { maxRecords, maxBytes } = this.#options.batch
    return this.#queue.records >= maxRecords || this.#queue.bytes >= maxBytes
  }

  /** Makes batches of what is due, as long as there is somebody to take them. */
  #pump(): void {
    for (let oldest = this.#queue.oldest; oldest !== undefined; oldest = this.#queue.oldest) {
      if (!this.#full() && !this.#schedule.isDue(oldest)) break
      if (this.#belongsOnDisk(oldest)) {
        if (!this.#flights.mayStore) break
        this.#flights.store(this.#take())
      } else if (this.#flights.maySend) this.#flights.send(this.#take())
      else break
    }
    if (this.#queue.records > 0) this.#schedule.later()
    this.#settleWaiters()
  }

  #take(): NumberedBatch {
    const { maxRecords, maxBytes } = this.#options.batch
    const batch = this.#maker.take(this.#queue, maxRecords, maxBytes)
    this.#batched += batch.records
    return batch
  }

  /** Whether the oldest batch is to be left to the disk. */
  #belongsOnDisk(oldest: number): boolean {
    const size = Math.min(this.#queue.bytes, this.#options.batch.maxBytes)
    if (this.#spill === undefined || !this.#spill.hasRoom(size)) return false
    const { overflow, maxBytes } = this.#options.queue
    if (overflow === 'spill' && this.#health.away) return true
    if (this.#flights.maySend) return false
    if (this.#options.spill?.windowMillis === 0) return true
    if (overflow === 'spill' && this.#queue.usedBytes > maxBytes * SPILL_MARK) return true
    return this.#endangered !== undefined && !isBefore(this.#endangered, oldest)
  }

  #sendThrough(through: number): void {
    this.#schedule.makeDue(through)
    this.#pump()
  }

  #protect(through: number): boolean {
    this.#endangered = through
    this.#pump()
    this.#flights.protect(through)
    return this.#queue.records > 0 || this.#flights.unprotected
  }

  #left(): void {
    this.#reporter.notice()
    this.#replay?.nudge()
  }

  #settleWaiters(): void {
    if (!this.#waiters.waiting) return
    const [queued, flying] = [this.#queue.oldest, this.#flights.oldest]
    const first = queued === undefined || (flying !== undefined && isBefore(flying, queued)) ? flying : queued
    this.#waiters.settle(first)
  }

  #problem(): string {
    const { problem } = this.#health
    return problem === '' ? '' : `${withoutSecrets(this.#options.destination.url)} said last: ${problem}`
  }

  #readings() {
    return {
      counters: this.counters,
      queued: this.#queue.records,
      capacity: this.#options.queue.maxRecords,
      batched: this.#batched,
      inFlight: this.#queue.usedRecords - this.#queue.records,
    }
  }
}
