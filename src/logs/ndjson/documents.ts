import type { LogBatch } from '../batch.ts'
import { type BatchData, isDropped, type Part, partOf, recordCount } from '../data.ts'
import { EDITED, L } from '../structure.ts'
import { MalformedError, Record } from '../wire.ts'
import { type Route, readRecordRoute } from './control.ts'
import type { JsonWriter } from './json-writer.ts'
import { type Mapping, UnfitError } from './mapping.ts'
import { routeOfContext } from './otel-context.ts'
import { readSeverity } from './severity.ts'

/** A place that documents go to; `dataStream` stands in each, `,"data_stream":{…}`, or is empty. */
export interface Target {
  readonly dataStream: Buffer
}

/** Where documents go, and what they look like there. */
export interface Destination<T extends Target> {
  readonly mapping: Mapping
  readonly target: T
}

/** The record being rendered; one object for several of them. */
export interface DocumentSource<T extends Target> {
  /** Index in the batch. */
  readonly record: number
  /** Index of its scope in the batch. */
  readonly scope: number
  readonly part: Part
  /** Position in the request as received. */
  readonly position: number
  readonly route: Route
  readonly target: T
  /** `@timestamp` in epoch milliseconds; known once the document is complete. */
  readonly timeMs: number
}

export interface DocumentOptions<T extends Target> {
  /** Throws `UnfitError` where there is none. */
  destination(route: Route, part: Part): Destination<T>
  /** Where a record goes that attributes ask a route for, by its severity number; without this, by attributes alone. */
  routeOf?(asked: Route, severity: number): Route
  /** Writes what goes before the document, an action line for one, and reserves the room for it. */
  before?(source: DocumentSource<T>, out: JsonWriter): void
  /** The document is complete. */
  after?(source: DocumentSource<T>, out: JsonWriter): void
  /** The record cannot be rendered; the others go on. */
  failed(record: number, error: MalformedError | UnfitError): void
}

/** Room for all field names of a document that are no attributes. */
const LINE_ROOM = 2048

/** Renders documents, one a line, straight from the wire bytes. What records of a scope share is rendered once. */
export class Documents<T extends Target> {
  readonly #options: DocumentOptions<T>
  /** Which scope each mapping is in, of those that were told of the batch. */
  readonly #entered = new Map<Mapping, number>()
  /** The scope of the record before, and what its documents have in common. */
  #scope = -1
  #route: Route = {}
  #destination: Destination<T> | undefined

  constructor(options: DocumentOptions<T>) {
    this.#options = options
  }

  /** Renders every live record of the batch. */
  render(batch: LogBatch, out: JsonWriter): void {
    const { data } = batch
    const source: Partial<Mutable<DocumentSource<T>>> = {}
    this.#scope = -1
    this.#entered.clear()
    for (let record = 0; record < recordCount(data); record++) {
      if (isDropped(data, record)) continue
      const mark = out.pos
      source.record = record
      try {
        this.#renderRecord(data, source as Mutable<DocumentSource<T>>, out)
      } catch (error) {
        if (!(error instanceof MalformedError || error instanceof UnfitError)) throw error
        out.rewind(mark)
        this.#options.failed(record, error)
      }
    }
  }

  #renderRecord(data: BatchData, source: Mutable<DocumentSource<T>>, out: JsonWriter): void {
    const { rows } = data
    const row = source.record * L.STRIDE
    const edited = (rows[row + L.STATE] & EDITED) === 0 ? undefined : data.edits.get(source.record)
    const bytes = edited ?? data.bytes
    const start = edited ? 0 : rows[row + L.START]
    const end = edited ? edited.length : rows[row + L.END]
    source.scope = rows[row + L.SCOPE]
    source.position = rows[row + L.POSITION]
    if (source.scope !== this.#scope) {
      source.part = partOf(data, source.record)
      this.#destination = this.#enterScope(data, source, out)
    }
    const usual = this.#destination as Destination<T>
    let { mapping, target } = usual
    source.route = this.#route
    if (mapping.read(bytes, start, end)) {
      source.route = readRecordRoute(bytes, start, end, Record.attributes, this.#route)
    }
    if (this.#options.routeOf !== undefined) {
      source.route = this.#options.routeOf(source.route, readSeverity(bytes, start, end))
    }
    if (source.route !== this.#route) {
      ;({ mapping, target } = this.#options.destination(source.route, source.part))
      if (mapping !== usual.mapping) {
        this.#enter(mapping, data, source.scope, out)
        mapping.read(bytes, start, end)
      }
    }
    source.target = target
    this.#options.before?.(source, out)
    out.reserve((end - start) * 6 + mapping.room + target.dataStream.length + LINE_ROOM)
    source.timeMs = mapping.write(out, target.dataStream, source.part.receivedMs)
    this.#options.after?.(source, out)
  }

  #enterScope(data: BatchData, { scope, part }: DocumentSource<T>, out: JsonWriter): Destination<T> {
    // Where this throws, no scope was entered.
    this.#scope = -1
    this.#route = routeOfContext(data, scope)
    const destination = this.#options.destination(this.#route, part)
    this.#enter(destination.mapping, data, scope, out)
    this.#scope = scope
    return destination
  }

  #enter(mapping: Mapping, data: BatchData, scope: number, out: JsonWriter): void {
    const entered = this.#entered.get(mapping)
    if (entered === scope) return
    if (entered === undefined) mapping.begin(data.bytes)
    this.#entered.set(mapping, -1)
    mapping.enterScope(data, scope, out)
    this.#entered.set(mapping, scope)
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
