import type { LogBatch } from '../batch.ts'
import { type BatchData, isDropped, type Part, partOf, recordCount } from '../data.ts'
import { kernel } from '../kernel/kernel.ts'
import { EDITED, L } from '../structure.ts'
import { MalformedError, Record } from '../wire.ts'
import { type Route, readRoute } from './control.ts'
import type { JsonWriter } from './json-writer.ts'
import { KernelRecordJson } from './kernel-record-json.ts'
import { renderContext, routeOfContext } from './otel-context.ts'
import { RecordJson } from './record-json.ts'
import type { TimestampStyle } from './timestamp.ts'

/** A place that documents go to; `dataStream` stands in each, `,"data_stream":{…}`, or is empty. */
export interface Target {
  readonly dataStream: Buffer
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
  readonly target: T
  /** `@timestamp` in epoch milliseconds; known once the document is complete. */
  readonly timeMs: number
}

export interface OtelDocumentOptions<T extends Target> {
  readonly timestamps: TimestampStyle
  target(route: Route): T
  /** Writes what goes before the document, an action line for one: up to 1 KiB. */
  before?(source: DocumentSource<T>, out: JsonWriter): void
  /** The document is complete. */
  after?(source: DocumentSource<T>, out: JsonWriter): void
  /** The record cannot be rendered; the others go on. */
  failed(record: number, error: MalformedError): void
}

/** Room for the action line and for all field names of a document. */
const LINE_ROOM = 2048

/**
 * Renders the documents of Elasticsearch's OTel mapping mode, one a line, straight from the wire bytes.
 * Resource and scope are rendered once and copied from then on.
 */
export class OtelDocuments<T extends Target> {
  readonly #options: OtelDocumentOptions<T>
  readonly #json: RecordJson
  /** The scope of the record before, and what its documents have in common. */
  #scope = -1
  #context: Buffer = Buffer.alloc(0)
  #route: Route = {}
  #target: T

  constructor(options: OtelDocumentOptions<T>) {
    this.#options = options
    this.#json = newRecordJson(options.timestamps)
    this.#target = options.target(this.#route)
  }

  /** Renders every live record of the batch. */
  render(batch: LogBatch, out: JsonWriter): void {
    const { data } = batch
    const target = this.#target
    const source = { record: 0, scope: 0, part: data.parts[0], position: 0, target, timeMs: 0 }
    this.#scope = -1
    this.#json.begin(data.bytes)
    for (let record = 0; record < recordCount(data); record++) {
      if (isDropped(data, record)) continue
      const mark = out.pos
      source.record = record
      try {
        this.#renderRecord(data, source, out)
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
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
      this.#enterScope(data, source.scope, out)
    }
    out.reserve((end - start) * 6 + this.#context.length + LINE_ROOM)
    const steered = this.#json.read(bytes, start, end)
    source.target = steered
      ? this.#options.target(readRoute(bytes, start, end, Record.attributes, this.#route))
      : this.#target
    this.#options.before?.(source, out)
    const { target, part } = source
    source.timeMs = this.#json.write(out, target.dataStream, this.#context, part.receivedMs)
    this.#options.after?.(source, out)
  }

  #enterScope(data: BatchData, scope: number, out: JsonWriter): void {
    // Where this throws, no scope was entered.
    this.#scope = -1
    this.#context = renderContext(data, scope, out)
    this.#route = routeOfContext(data, scope)
    this.#target = this.#options.target(this.#route)
    this.#scope = scope
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function newRecordJson(timestamps: TimestampStyle): RecordJson {
  return kernel === undefined || timestamps !== 'epoch_millis'
    ? new RecordJson(timestamps)
    : new KernelRecordJson(kernel)
}
