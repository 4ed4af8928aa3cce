import type { Lease } from '../../src/component.ts'
import { readAddress } from './addressed.ts'
import { Burial, type BurialOptions } from './burial.ts'
import type { Cursor } from './cursor.ts'
import type { Deliveries } from './deliveries.ts'
import type { Log } from './log.ts'
import { LogReader } from './log-reader.ts'
import { PatientReader } from './patient-reader.ts'
import type { Position } from './position.ts'
import type { StoredElement } from './segment.ts'
import { Solitude } from './solitude.ts'

export interface GroupOptions extends BurialOptions {
  readonly storage: Log
  readonly cursor: Cursor
  /** Unpacked bytes of elements that may be unsettled at once. */
  readonly windowBytes: number
  /** Told of every attempt to read that failed, and with undefined when that is over. */
  readonly unreadable: (problem: string | undefined) => void
  /** Called with the records of an element that was acknowledged. */
  readonly acked: (records: number) => void
  /** Called when the group is through with what lies before its position. */
  readonly moved: () => void
}

/** An element between being read and being passed by the cursor. */
interface Entry {
  stored: StoredElement
  state: 'waiting' | 'lent' | 'settled'
  /** Who has it: a lease that lost it to another may still acknowledge it, not release it. */
  lease: Lease | undefined
  /** When it may be lent, by `performance.now()`. */
  dueAt: number
  /** Unpacked bytes, as far as known. */
  size: number
}

/** Elements unsettled at once, however small they are. */
const MAX_UNSETTLED = 1024
const BURY_RETRY_MS = 1000
const KEY_RETRY_MS = 1000
const NOTHING = Buffer.alloc(0)

/** The queue of one pipeline: its place in the log, and what lies between there and the last element it has read. */
export class Group {
  readonly #options: GroupOptions
  readonly #reader: PatientReader
  readonly #deliveries: Deliveries
  readonly #burial: Burial
  readonly #solitude = new Solitude()
  /** Oldest first, without gaps but for what is damaged: the cursor passes the settled ones at the front. */
  readonly #entries: Entry[] = []
  #unsettled = 0
  #unsettledBytes = 0
  #lent = 0
  #readUpTo: Position
  /** When the first element that is not read yet was appended, about. */
  #unreadSince = Date.now()
  #consumed = false
  #closed = false
  /** Until when what waits must wait for what is out. */
  #barredUntil = 0
  #news = false
  #notify: (() => void) | undefined

  constructor(options: GroupOptions) {
    this.#options = options
    this.#readUpTo = options.cursor.position
    this.#reader = new PatientReader({
      reader: new LogReader(options.storage, options.cursor.position.elements),
      group: options.name,
      log: options.log,
      failed: options.unreadable,
    })
    this.#deliveries = options.cursor.deliveries
    this.#burial = new Burial(options)
    options.storage.onAppend((before) => {
      if (before.elements <= this.#readUpTo.elements) this.#unreadSince = Date.now()
      this.#wake()
    })
  }

  /** Reads the oldest element, so that its age is known before anybody takes it. */
  async open(): Promise<void> {
    await this.#read()
  }

  /** All before it is settled. */
  get position(): Position {
    return this.#options.cursor.position
  }

  /** Elements somebody has. */
  get inFlight(): number {
    return this.#lent
  }

  /** What waits or is in flight. */
  get held(): Position {
    const { end } = this.#options.storage
    const { position } = this
    const held = {
      elements: end.elements - position.elements,
      records: end.records - position.records,
      bytes: end.bytes - position.bytes,
    }
    for (const { state, stored } of this.#entries) {
      if (state !== 'settled') continue
      held.elements -= stored.end.elements - stored.position.elements
      held.records -= stored.records
      held.bytes -= stored.end.bytes - stored.position.bytes
    }
    return held
  }

  /** How long ago the oldest element was appended, 0 when there is none. */
  get ageMs(): number {
    const oldest = this.#entries[0]?.stored.timeMs
    if (oldest === undefined && this.#readUpTo.elements >= this.#options.storage.end.elements) return 0
    return Math.max(0, Date.now() - (oldest ?? this.#unreadSince))
  }

  /** Lends what waits, oldest first, until `signal` aborts. What an earlier call has lent and not got back comes again. */
  async *leases(signal: AbortSignal): AsyncGenerator<Lease, void, undefined> {
    if (this.#consumed) throw new Error(`the buffer is already being read for ${this.#options.name}`)
    this.#consumed = true
    for (const entry of this.#entries) if (entry.state === 'lent') this.#giveBack(entry, 0, true)
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted && !this.#closed) {
        this.#news = false
        const entry = this.#admit(this.#due() ?? (await this.#readMore()))
        const lease = entry && (await this.#lend(entry, signal))
        if (lease) yield lease
        else if (!entry) await this.#nextNews(signal)
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#consumed = false
    }
  }

  /** Lets go of all that is not lent, up to the end of the log, unread. Returns what that was. */
  async purge(): Promise<Position> {
    const before = this.held
    const from = this.#readUpTo
    const { end } = this.#options.storage
    this.#reader.skipTo(end.elements)
    this.#readUpTo = end
    // The cursor passes it as it does an element that is settled.
    const skipped: Entry = {
      stored: {
        kind: 'element',
        position: from,
        end,
        timeMs: 0,
        records: end.records - from.records,
        payload: NOTHING,
      },
      state: 'waiting',
      lease: undefined,
      dueAt: Number.POSITIVE_INFINITY,
      size: 0,
    }
    this.#entries.push(skipped)
    this.#unsettled++
    const waiting = this.#entries.filter(({ state }) => state === 'waiting')
    await Promise.all(waiting.map((entry) => this.#settle(entry)))
    const after = this.held
    return {
      elements: before.elements - after.elements,
      records: before.records - after.records,
      bytes: before.bytes - after.bytes,
    }
  }

  /** Ends the consumer. What is lent is not waited for: it comes again after the next start. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#reader.close()
  }

  /** The entry, unless it has to wait for what is out, or what is out must be alone. */
  #admit(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined) return undefined
    const { elements } = entry.stored.position
    this.#barredUntil = this.#solitude.barredUntil(elements, this.#deliveries.of(elements), this.#lent)
    return this.#barredUntil === 0 ? entry : undefined
  }

  /** The oldest entry that is due. */
  #due(): Entry | undefined {
    if (this.#unsettled === this.#lent) return undefined
    const now = performance.now()
    return this.#entries.find(({ state, dueAt }) => state === 'waiting' && dueAt <= now)
  }

  async #readMore(): Promise<Entry | undefined> {
    return this.#hasRoom ? this.#read() : undefined
  }

  /** Whether one more may be held. */
  get #hasRoom(): boolean {
    if (this.#unsettled >= MAX_UNSETTLED) return false
    return this.#unsettled === 0 || this.#unsettledBytes < this.#options.windowBytes
  }

  async #read(): Promise<Entry | undefined> {
    const stored = await this.#reader.next()
    // It may have been purged while it was being read.
    if (stored === undefined || stored.position.elements < this.#readUpTo.elements) return undefined
    const lost = stored.position.elements - this.#readUpTo.elements
    if (lost > 0) {
      const records = stored.position.records - this.#readUpTo.records
      this.#options.log.error(
        { group: this.#options.name, elements: lost, records },
        'elements of the buffer are damaged or gone: their records will not be delivered',
      )
    }
    this.#readUpTo = stored.end
    const entry: Entry = { stored, state: 'waiting', lease: undefined, dueAt: 0, size: stored.payload.length }
    this.#entries.push(entry)
    this.#unsettled++
    this.#unsettledBytes += entry.size
    return entry
  }

  async #lend(entry: Entry, signal: AbortSignal): Promise<Lease | undefined> {
    const { group, element } = readAddress(entry.stored.payload)
    if (group !== undefined && group !== this.#options.name) {
      await this.#settle(entry)
      return undefined
    }
    const { elements } = entry.stored.position
    const failures = this.#deliveries.of(elements)
    // Before it is opened: that may be what ends the process.
    this.#deliveries.handedOut(elements)
    await this.#save()
    if (failures >= this.#options.maxDeliveries) {
      await this.#bury(entry, failures)
      return undefined
    }
    const batch = this.#burial.open(entry.stored, element)
    if (batch === 'sealed') {
      await this.#waitForKey(entry)
      return undefined
    }
    if (batch === undefined) {
      await this.#bury(entry, failures)
      return undefined
    }
    if (batch.size === 0) {
      await this.#settle(entry)
      return undefined
    }
    this.#unsettledBytes += batch.byteLength - entry.size
    entry.size = batch.byteLength
    entry.state = 'lent'
    this.#lent++
    this.#solitude.wentOut(failures)
    const lease: Lease = {
      batch,
      ack: async () => {
        if (entry.state === 'settled') return
        this.#options.acked(entry.stored.records)
        await this.#settle(entry)
      },
      release: async (delayMs) => {
        if (entry.state !== 'lent' || entry.lease !== lease) return
        // Whoever stops has not failed.
        this.#giveBack(entry, delayMs, signal.aborted || this.#closed)
        if (!signal.aborted && !this.#closed) await this.#save()
      },
    }
    entry.lease = lease
    return lease
  }

  async #bury(entry: Entry, failures: number): Promise<void> {
    const { stored } = entry
    const outcome = await this.#burial.bury(stored, failures)
    if (outcome === 'sealed') await this.#waitForKey(entry)
    else if (outcome === 'buried') await this.#settle(entry)
    else {
      this.#deliveries.returned(stored.position.elements)
      entry.dueAt = performance.now() + BURY_RETRY_MS
    }
  }

  /** That its key is missing is no fault of the element. */
  async #waitForKey(entry: Entry): Promise<void> {
    this.#deliveries.returned(entry.stored.position.elements)
    entry.dueAt = performance.now() + KEY_RETRY_MS
    await this.#save()
  }

  /** `untried`: nobody has tried to deliver it. */
  #giveBack(entry: Entry, delayMs: number, untried: boolean): void {
    const { elements } = entry.stored.position
    if (untried) this.#deliveries.returned(elements)
    else this.#deliveries.failed(elements)
    entry.state = 'waiting'
    entry.lease = undefined
    entry.dueAt = performance.now() + delayMs
    this.#lent--
    this.#wake()
  }

  async #settle(entry: Entry): Promise<void> {
    if (entry.state === 'settled') return
    if (entry.state === 'lent') this.#lent--
    entry.state = 'settled'
    this.#deliveries.succeeded(entry.stored.position.elements)
    // It may stay here for long, behind one that is not settled.
    entry.stored = { ...entry.stored, payload: NOTHING }
    this.#unsettled--
    this.#unsettledBytes -= entry.size
    let position: Position | undefined
    while (this.#entries[0]?.state === 'settled') position = this.#entries.shift()?.stored.end
    this.#wake()
    if (this.#closed) return
    const saved = this.#save(position)
    if (position === undefined) return
    this.#options.moved()
    await saved
  }

  /** Never rejects: what is not written down comes again, or is counted once less. */
  async #save(position?: Position): Promise<void> {
    try {
      await this.#options.cursor.save(position)
    } catch (err) {
      this.#options.log.warn(
        { err, group: this.#options.name },
        'progress could not be written down: a restart now would deliver again',
      )
    }
  }

  #wake(): void {
    this.#news = true
    this.#notify?.()
  }

  /** Resolves when there may be something to lend: more was appended or settled, a delay is over, or it is to end. */
  async #nextNews(signal: AbortSignal): Promise<void> {
    if (this.#news || signal.aborted || this.#closed) return
    const due = Math.min(this.#dueAt(), this.#readAt())
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#notify = resolve
      if (Number.isFinite(due)) timer = setTimeout(resolve, Math.max(1, due - performance.now())).unref()
    })
    clearTimeout(timer)
    this.#notify = undefined
  }

  /** When reading is to be tried again that went wrong; that may be over by now, and nobody else would wake anybody. */
  #readAt(): number {
    const { retryAt } = this.#reader
    const isNext = retryAt > 0 && this.#hasRoom && this.#due() === undefined
    return isNext ? retryAt : Number.POSITIVE_INFINITY
  }

  /** When the first of those that wait may go out. */
  #dueAt(): number {
    const first = this.#entries.reduce(
      (least, { state, dueAt }) => (state === 'waiting' ? Math.min(least, dueAt) : least),
      Number.POSITIVE_INFINITY,
    )
    return Math.max(first, this.#barredUntil)
  }
}
