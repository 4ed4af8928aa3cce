import type { Entry } from '../spill/entry.ts'
import type { Spill } from '../spill/spill.ts'
import type { NumberedBatch } from './batch.ts'
import type { CounterBook, DropReason } from './counters.ts'
import type { Delivery, Outcome } from './delivery.ts'
import type { Health } from './health.ts'
import type { PipeOptions } from './options.ts'
import { isBefore, type RecordQueue } from './queue.ts'

/** Batches that are sent at the same time. */
const MOST_SENT = 4
/** Batches that are on their way to the disk at the same time. */
const MOST_STORED = 4

/** A batch between the queue and its end. */
interface Flight {
  readonly batch: NumberedBatch
  /** Its copy on disk. */
  entry: Entry | undefined
  /** Whether it is accounted for: whoever still works on it has nothing more to say. */
  over: boolean
}

export interface FlightsParts {
  readonly options: Pick<PipeOptions, 'queue' | 'retry' | 'spill'>
  readonly queue: RecordQueue
  readonly delivery: Delivery
  readonly health: Health
  readonly counters: CounterBook
  readonly spill: Spill | undefined
  /** Called when a batch has left the memory. */
  readonly landed: () => void
  /** Called when a batch is left to the replay. */
  readonly left: () => void
}

/** The batches that have left the queue and are in memory: each is sent, stored or dropped, exactly once. */
export class Flights {
  readonly #parts: FlightsParts
  readonly #flights = new Set<Flight>()
  #sent = 0
  #stored = 0

  constructor(parts: FlightsParts) {
    this.#parts = parts
  }

  /** Whether one more may be sent now. */
  get maySend(): boolean {
    return this.#sent < MOST_SENT
  }

  /** Whether one more may be stored now. */
  get mayStore(): boolean {
    return this.#stored < MOST_STORED
  }

  /** The number of the oldest record; undefined when there is none. */
  get oldest(): number | undefined {
    let oldest: number | undefined
    for (const { batch } of this.#flights) {
      if (oldest === undefined || isBefore(batch.first, oldest)) oldest = batch.first
    }
    return oldest
  }

  /** Whether there is one of which the disk has no copy. */
  get unprotected(): boolean {
    return [...this.#flights].some(({ entry }) => isMissing(entry))
  }

  /** Sends a batch; in strict mode it is on disk before. */
  send(batch: NumberedBatch): void {
    void this.#send(this.#begin(batch))
  }

  /** Leaves a batch to the disk. */
  store(batch: NumberedBatch): void {
    void this.#store(this.#begin(batch))
  }

  /** Begins to copy all batches to the disk that hold records up to a number. */
  protect(through: number): void {
    const { spill } = this.#parts
    for (const flight of this.#flights) {
      const { batch, entry } = flight
      if (isBefore(through, batch.first) || !isMissing(entry)) continue
      if (spill?.hasRoom(batch.bytes.length)) flight.entry = spill.append(batch)
    }
  }

  /** Accounts for all of them at once: they are on disk when this returns, or dropped. */
  save(): void {
    this.#parts.spill?.writeSync()
    for (const flight of this.#flights) this.#saveOne(flight)
  }

  /** The same for a batch that comes now. */
  saveBatch(batch: NumberedBatch): void {
    this.#saveOne(this.#begin(batch))
  }

  #begin(batch: NumberedBatch): Flight {
    const flight: Flight = { batch, entry: undefined, over: false }
    this.#flights.add(flight)
    this.#parts.queue.hold(batch.bytes.length, batch.records)
    return flight
  }

  #end(flight: Flight): void {
    flight.over = true
    this.#flights.delete(flight)
    this.#parts.queue.release(flight.batch.bytes.length, flight.batch.records)
  }

  async #send(flight: Flight): Promise<void> {
    this.#sent++
    try {
      await this.#deliver(flight)
    } finally {
      this.#sent--
      this.#parts.landed()
    }
  }

  async #deliver(flight: Flight): Promise<void> {
    const { options, delivery, counters, spill } = this.#parts
    const { batch } = flight
    if (options.spill?.windowMillis === 0) {
      flight.entry ??= spill?.append(batch)
      await flight.entry?.written
      if (flight.over) return
    }
    const end = performance.now() + options.retry.budgetMillis
    const givesUp = (): boolean => this.#givesUp(flight)
    let outcome: Outcome
    do {
      outcome = await delivery.deliver(batch.bytes, { budgetMillis: end - performance.now(), givesUp })
      if (flight.over) return
      // Where the disk has no room after all, there is time left.
    } while (outcome.kind === 'given_up' && !(await this.#leave(flight, outcome.late)))
    if (outcome.kind === 'given_up') return
    this.#end(flight)
    if (outcome.kind === 'refused') counters.dropAll('refused', batch.tally)
    else counters.take(batch, outcome.rejected)
    if (flight.entry !== undefined) spill?.settle(flight.entry)
  }

  /** A batch that could be on disk instead does not wait here for a collector that is away. */
  #givesUp({ batch, entry, over }: Flight): boolean {
    const { options, health, spill } = this.#parts
    if (over) return true
    if (options.queue.overflow !== 'spill' || !health.away || spill === undefined) return false
    return entry?.state === 'stored' || spill.hasRoom(batch.bytes.length)
  }

  async #store(flight: Flight): Promise<void> {
    this.#stored++
    flight.entry = this.#parts.spill?.append(flight.batch)
    const stored = await flight.entry?.written
    this.#stored--
    if (flight.over) return
    if (stored === true) {
      this.#toReplay(flight)
      this.#parts.landed()
    } else {
      flight.entry = undefined
      await this.#send(flight)
    }
  }

  /** Leaves a batch to the disk, or drops it when it is late. False when it is still here. */
  async #leave(flight: Flight, late: boolean): Promise<boolean> {
    const { counters, spill } = this.#parts
    if (flight.entry === undefined || !(await flight.entry.written))
      flight.entry = spill?.append(flight.batch)
    const stored = await flight.entry?.written
    if (flight.over) return true
    if (stored === true) {
      this.#toReplay(flight)
      return true
    }
    if (!late) return false
    this.#end(flight)
    counters.dropAll(failureOf(flight.entry) ?? 'retry_budget', flight.batch.tally)
    return true
  }

  #toReplay(flight: Flight): void {
    const { counters, spill, left } = this.#parts
    this.#end(flight)
    counters.spilled += flight.batch.records
    if (flight.entry !== undefined) spill?.leave(flight.entry)
    left()
  }

  #saveOne(flight: Flight): void {
    const { counters, spill } = this.#parts
    if (flight.entry?.state !== 'stored') flight.entry = spill?.appendSync(flight.batch)
    if (flight.entry?.state === 'stored') {
      this.#toReplay(flight)
      return
    }
    this.#end(flight)
    counters.dropAll(failureOf(flight.entry) ?? 'shutdown', flight.batch.tally)
  }
}

/** Whether the disk has no copy, and is not about to have one. */
function isMissing(entry: Entry | undefined): boolean {
  return entry === undefined || failureOf(entry) !== undefined
}

function failureOf(entry: Entry | undefined): DropReason | undefined {
  return entry?.state === 'spill_full' || entry?.state === 'spill_failed' ? entry.state : undefined
}
