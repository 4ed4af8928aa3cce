import type { LogBatch } from '../batch.ts'
import { type BatchData, type Part, partOf, recordCount } from '../data.ts'
import { DROPPED, EDITED, L } from '../structure.ts'
import { AnyValue, LIST_ITEM, MalformedError, Record, viewOf, WireReader } from '../wire.ts'
import { isControlKey, type Route, readRoute } from './control.ts'
import type { JsonWriter } from './json-writer.ts'
import { fragment, renderContext, routeOfContext } from './otel-context.ts'
import { RecordFields } from './record-fields.ts'
import { type TimestampStyle, TimestampWriter } from './timestamp.ts'

/** A place that documents go to; `dataStream` stands in each, `,"data_stream":{…}`, or is empty. */
export interface Target {
  readonly dataStream: Buffer
}

/** The record being rendered. */
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

const TIMESTAMP = fragment('{"@timestamp":')
const OBSERVED = fragment(',"observed_timestamp":')
const SEVERITY_TEXT = fragment(',"severity_text":')
const SEVERITY_NUMBER = fragment(',"severity_number":')
const TRACE_ID = fragment(',"trace_id":"')
const SPAN_ID = fragment(',"span_id":"')
const TRACE_FLAGS = fragment(',"trace_flags":')
const EVENT_NAME = fragment(',"event_name":')
const DROPPED_COUNT = fragment(',"dropped_attributes_count":')
const ATTRIBUTES = fragment(',"attributes":{')
const BODY_TEXT = fragment(',"body":{"text":')
const BODY_STRUCTURED = fragment(',"body":{"structured":')
const BODY_VALUES = fragment(',"body":{"structured":{"value":')
const CLOSE = 0x7d
const NEWLINE = 0x0a
const QUOTE = 0x22
/** Room for the action line and for all field names of a document. */
const LINE_ROOM = 2048

/**
 * Renders the documents of Elasticsearch's OTel mapping mode, one a line, straight from the wire bytes.
 * Resource and scope are rendered once and copied from then on.
 *
 * Names and shapes are those of the Collector's exporter in mapping mode `otel`, less its losses: nanoseconds
 * are padded with zeros, trace flags are kept, and a record without any time gets the time of receipt.
 */
export class OtelDocuments<T extends Target> {
  readonly #options: OtelDocumentOptions<T>
  readonly #times: TimestampWriter
  readonly #fields = new RecordFields()

  constructor(options: OtelDocumentOptions<T>) {
    this.#options = options
    this.#times = new TimestampWriter(options.timestamps)
  }

  /** Renders every live record of the batch. */
  render(batch: LogBatch, out: JsonWriter): void {
    const { data } = batch
    const { rows } = data
    const batchView = viewOf(data.bytes)
    let scope = -1
    let context: Buffer = Buffer.alloc(0)
    let route: Route = {}
    let target = this.#options.target(route)
    for (let record = 0; record < recordCount(data); record++) {
      const row = record * L.STRIDE
      if ((rows[row + L.STATE] & DROPPED) !== 0) continue
      const mark = out.pos
      try {
        const next = rows[row + L.SCOPE]
        if (next !== scope) {
          scope = -1
          context = renderContext(data, next, out)
          route = routeOfContext(data, next)
          target = this.#options.target(route)
          scope = next
        }
        const edited = (rows[row + L.STATE] & EDITED) === 0 ? undefined : data.edits.get(record)
        const bytes = edited ?? data.bytes
        const view = edited ? viewOf(edited) : batchView
        const start = edited ? 0 : rows[row + L.START]
        const end = edited ? edited.length : rows[row + L.END]
        this.#renderRecord({ data, record, bytes, view, start, end, context, route, target, out })
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
        out.rewind(mark)
        this.#options.failed(record, error)
      }
    }
  }

  #renderRecord(source: RecordSource<T>): void {
    const { data, record, bytes, view, start, end, context, out } = source
    const fields = this.#fields
    const reader = new WireReader(bytes, start)
    out.reserve((end - start) * 6 + context.length + LINE_ROOM)
    fields.read(reader, end)
    const target = fields.control
      ? this.#options.target(readRoute(bytes, start, end, Record.attributes, source.route))
      : source.target
    const part = partOf(data, record)
    const row = record * L.STRIDE
    const origin = {
      record,
      scope: data.rows[row + L.SCOPE],
      part,
      position: data.rows[row + L.POSITION],
      target,
      timeMs: 0,
    }
    this.#options.before?.(origin, out)

    out.raw(TIMESTAMP)
    const time = fields.time || fields.observed
    if (time === 0) this.#times.writeMillis(out, part.receivedMs)
    else this.#times.write(out, view, time)
    origin.timeMs = this.#times.lastMillis
    if (fields.observed !== 0) {
      out.raw(OBSERVED)
      this.#times.write(out, view, fields.observed)
    }
    out.raw(target.dataStream)
    writeText(out, SEVERITY_TEXT, bytes, view, fields.severityText, fields.severityTextEnd)
    writeNumber(out, SEVERITY_NUMBER, fields.severityNumber)
    writeId(out, TRACE_ID, bytes, fields.traceId, fields.traceIdEnd)
    writeId(out, SPAN_ID, bytes, fields.spanId, fields.spanIdEnd)
    if (fields.flags !== 0) writeNumber(out, TRACE_FLAGS, view.getUint32(fields.flags, true) & 0xff)
    writeText(out, EVENT_NAME, bytes, view, fields.eventName, fields.eventNameEnd)
    writeNumber(out, DROPPED_COUNT, fields.droppedAttributes)
    out.raw(ATTRIBUTES)
    reader.pos = start
    out.members(reader, view, end, Record.attributes, fields.control ? isControlKey : undefined)
    out.byte(CLOSE)
    out.raw(context)
    if (fields.body !== fields.bodyEnd) writeBody(out, reader, view, fields.body, fields.bodyEnd)
    out.byte(CLOSE)
    out.byte(NEWLINE)
    this.#options.after?.(origin, out)
  }
}

interface RecordSource<T extends Target> {
  readonly data: BatchData
  readonly record: number
  readonly bytes: Buffer
  readonly view: DataView
  readonly start: number
  readonly end: number
  readonly context: Buffer
  readonly route: Route
  readonly target: T
  readonly out: JsonWriter
}

function writeText(
  out: JsonWriter,
  name: Buffer,
  bytes: Buffer,
  view: DataView,
  start: number,
  end: number,
): void {
  if (start === end) return
  out.raw(name)
  out.text(bytes, view, start, end)
}

function writeNumber(out: JsonWriter, name: Buffer, value: number): void {
  if (value <= 0) return
  out.raw(name)
  out.integer(value)
}

function writeId(out: JsonWriter, name: Buffer, bytes: Buffer, start: number, end: number): void {
  if (start === end) return
  out.raw(name)
  out.hex(bytes, start, end)
  out.byte(QUOTE)
}

/**
 * A scalar is `body.text`; a map or a list of maps is `body.structured`, a field that takes nothing else,
 * so any other list stands in a map there.
 */
function writeBody(out: JsonWriter, reader: WireReader, view: DataView, start: number, end: number): void {
  const kind = kindOf(reader, start, end)
  if (kind === 0) return
  const values = kind === AnyValue.array && !isListOfMaps(reader, start, end)
  const structured = kind === AnyValue.array || kind === AnyValue.kvlist
  out.raw(values ? BODY_VALUES : structured ? BODY_STRUCTURED : BODY_TEXT)
  reader.pos = start
  out.value(reader, view, end)
  if (values) out.byte(CLOSE)
  out.byte(CLOSE)
}

/** The tag of the member that an AnyValue holds; 0 for none. */
function kindOf(reader: WireReader, start: number, end: number): number {
  let kind = 0
  reader.pos = start
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag >>> 3 <= AnyValue.bytes >>> 3) kind = tag
    reader.skip(tag, end)
  }
  return kind
}

function isListOfMaps(reader: WireReader, start: number, end: number): boolean {
  reader.pos = start
  while (reader.pos < end) {
    const tag = reader.tag(end)
    const stop = tag === AnyValue.array ? reader.length(end) : end
    if (tag !== AnyValue.array) {
      reader.skip(tag, end)
      continue
    }
    let maps = 0
    while (reader.pos < stop) {
      const item = reader.tag(stop)
      if (item !== LIST_ITEM) {
        reader.skip(item, stop)
        continue
      }
      const itemEnd = reader.length(stop)
      if (kindOf(reader, reader.pos, itemEnd) !== AnyValue.kvlist) return false
      maps++
    }
    if (maps === 0) return false
  }
  return true
}
