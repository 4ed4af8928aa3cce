import { AnyValue, LIST_ITEM, Record, viewOf, WireReader } from '../wire.ts'
import { isControlKey } from './control.ts'
import type { JsonWriter } from './json-writer.ts'
import { fragment } from './otel-context.ts'
import { RecordFields } from './record-fields.ts'
import { type TimestampStyle, TimestampWriter } from './timestamp.ts'

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

/**
 * Writes records as documents of Elasticsearch's OTel mapping mode, one after the other.
 *
 * Names and shapes are those of the Collector's exporter in mapping mode `otel`, less its losses: nanoseconds
 * are padded with zeros, trace flags are kept, and a record without any time gets the time of receipt.
 */
export class RecordJson {
  readonly #times: TimestampWriter
  readonly #fields = new RecordFields()
  #reader = new WireReader(Buffer.alloc(0))
  #view = viewOf(this.#reader.bytes)
  #start = 0
  #end = 0

  constructor(timestamps: TimestampStyle) {
    this.#times = new TimestampWriter(timestamps)
  }

  /** Announces what most records are read from. */
  begin(bytes: Buffer): void {
    this.#open(bytes)
  }

  /** Finds the fields of the record at `[start, end)`; says whether some attribute steers the exporter. */
  read(bytes: Buffer, start: number, end: number): boolean {
    if (this.#reader.bytes !== bytes) this.#open(bytes)
    this.#start = this.#reader.pos = start
    this.#end = end
    this.#fields.read(this.#reader, end)
    return this.#fields.control
  }

  /** Writes the record that was read. Gives its `@timestamp` in epoch milliseconds. */
  write(out: JsonWriter, dataStream: Buffer, context: Buffer, receivedMs: number): number {
    const reader = this.#reader
    const { bytes } = reader
    const view = this.#view
    const fields = this.#fields
    out.raw(TIMESTAMP)
    const time = fields.time || fields.observed
    if (time === 0) this.#times.writeMillis(out, receivedMs)
    else this.#times.write(out, view, time)
    const timeMs = this.#times.lastMillis
    if (fields.observed !== 0) {
      out.raw(OBSERVED)
      this.#times.write(out, view, fields.observed)
    }
    out.raw(dataStream)
    writeText(out, SEVERITY_TEXT, bytes, view, fields.severityText, fields.severityTextEnd)
    writeNumber(out, SEVERITY_NUMBER, fields.severityNumber)
    writeId(out, TRACE_ID, bytes, fields.traceId, fields.traceIdEnd)
    writeId(out, SPAN_ID, bytes, fields.spanId, fields.spanIdEnd)
    if (fields.flags !== 0) writeNumber(out, TRACE_FLAGS, view.getUint32(fields.flags, true) & 0xff)
    writeText(out, EVENT_NAME, bytes, view, fields.eventName, fields.eventNameEnd)
    writeNumber(out, DROPPED_COUNT, fields.droppedAttributes)
    out.raw(ATTRIBUTES)
    reader.pos = this.#start
    out.members(reader, view, this.#end, Record.attributes, fields.control ? isControlKey : undefined)
    out.byte(CLOSE)
    out.raw(context)
    if (fields.body !== fields.bodyEnd) writeBody(out, reader, view, fields.body, fields.bodyEnd)
    out.byte(CLOSE)
    out.byte(NEWLINE)
    return timeMs
  }

  #open(bytes: Buffer): void {
    this.#reader = new WireReader(bytes)
    this.#view = viewOf(bytes)
  }
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
  if (value === 0) return
  out.raw(name)
  out.signed(value)
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

/** Whether the AnyValue at `[start, end)`, a list, holds maps and nothing else. */
export function isListOfMaps(reader: WireReader, start: number, end: number): boolean {
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
