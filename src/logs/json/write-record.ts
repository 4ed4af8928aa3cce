import type { JsonWriter } from '../ndjson/json-writer.ts'
import { RecordFields } from '../ndjson/record-fields.ts'
import { TimestampWriter } from '../ndjson/timestamp.ts'
import { Record, viewOf, WireReader } from '../wire.ts'
import { writeKeyValues, writeValue } from './write-value.ts'

const MEMBER = {
  time: Buffer.from('"timeUnixNano":'),
  observedTime: Buffer.from('"observedTimeUnixNano":'),
  severityNumber: Buffer.from('"severityNumber":'),
  severityText: Buffer.from('"severityText":'),
  body: Buffer.from('"body":'),
  attributes: Buffer.from('"attributes":'),
  droppedAttributesCount: Buffer.from('"droppedAttributesCount":'),
  flags: Buffer.from('"flags":'),
  traceId: Buffer.from('"traceId":"'),
  spanId: Buffer.from('"spanId":"'),
  eventName: Buffer.from('"eventName":'),
}
const TRACE_ID_SIZE = 16
const SPAN_ID_SIZE = 8
const NANOSECONDS_PER_MS = 1_000_000n
const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c
const QUOTE = 0x22

/**
 * Writes LogRecords as OTLP/JSON. Default values are left out, as are trace and span ids of a wrong size: readers
 * refuse the whole request that holds one.
 */
export class OtlpJsonRecord {
  readonly #fields = new RecordFields()
  readonly #times = new TimestampWriter('unix_nanos')
  #reader = new WireReader(Buffer.alloc(0))
  #view = viewOf(this.#reader.bytes)
  #start = 0
  #end = 0

  /** Finds the fields of the record at `[start, end)`. */
  read(bytes: Buffer, start: number, end: number): void {
    if (this.#reader.bytes !== bytes) {
      this.#reader = new WireReader(bytes)
      this.#view = viewOf(bytes)
    }
    this.#start = this.#reader.pos = start
    this.#end = end
    this.#fields.read(this.#reader, end)
  }

  /** The time of the record that was read, or else the observed one, in epoch milliseconds; undefined without any. */
  timeMs(): number | undefined {
    const at = this.#fields.time || this.#fields.observed
    return at === 0 ? undefined : Number(this.#reader.bytes.readBigUInt64LE(at) / NANOSECONDS_PER_MS)
  }

  /** Writes the record that was read. */
  write(out: JsonWriter): void {
    const fields = this.#fields
    const view = this.#view
    out.byte(OPEN)
    this.#time(out, MEMBER.time, fields.time)
    this.#time(out, MEMBER.observedTime, fields.observed)
    this.#number(out, MEMBER.severityNumber, fields.severityNumber)
    this.#text(out, MEMBER.severityText, fields.severityText, fields.severityTextEnd)
    if (fields.body !== 0) {
      this.#member(out, MEMBER.body)
      this.#reader.pos = fields.body
      writeValue(out, this.#reader, view, fields.bodyEnd)
    }
    this.#attributes(out)
    this.#number(out, MEMBER.droppedAttributesCount, fields.droppedAttributes)
    if (fields.flags !== 0) this.#number(out, MEMBER.flags, view.getUint32(fields.flags, true))
    this.#id(out, MEMBER.traceId, fields.traceId, fields.traceIdEnd, TRACE_ID_SIZE)
    this.#id(out, MEMBER.spanId, fields.spanId, fields.spanIdEnd, SPAN_ID_SIZE)
    if (!fields.namedByAttribute) this.#text(out, MEMBER.eventName, fields.eventName, fields.eventNameEnd)
    out.byte(CLOSE)
  }

  #member(out: JsonWriter, name: Buffer): void {
    if (out.bytes[out.pos - 1] !== OPEN) out.byte(COMMA)
    out.raw(name)
  }

  #time(out: JsonWriter, name: Buffer, at: number): void {
    if (at === 0) return
    this.#member(out, name)
    this.#times.write(out, this.#view, at)
  }

  #number(out: JsonWriter, name: Buffer, value: number): void {
    if (value === 0) return
    this.#member(out, name)
    out.signed(value)
  }

  #text(out: JsonWriter, name: Buffer, start: number, end: number): void {
    if (start === end) return
    this.#member(out, name)
    out.text(this.#reader.bytes, this.#view, start, end)
  }

  #id(out: JsonWriter, name: Buffer, start: number, end: number, size: number): void {
    if (end - start !== size) return
    this.#member(out, name)
    out.hex(this.#reader.bytes, start, end)
    out.byte(QUOTE)
  }

  #attributes(out: JsonWriter): void {
    const mark = out.pos
    this.#member(out, MEMBER.attributes)
    const list = out.pos
    this.#reader.pos = this.#start
    writeKeyValues(out, this.#reader, this.#view, this.#end, Record.attributes)
    if (out.pos === list + 2) out.pos = mark
  }
}
