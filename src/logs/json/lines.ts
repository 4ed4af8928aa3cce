import type { LogBatch } from '../batch.ts'
import { type BatchData, isDropped, partOf, recordCount } from '../data.ts'
import type { JsonWriter } from '../ndjson/json-writer.ts'
import { EDITED, L, S } from '../structure.ts'
import { MalformedError } from '../wire.ts'
import { OTLP_JSON_GROWTH } from './growth.ts'
import { writeResource, writeScope } from './write-context.ts'
import { OtlpJsonRecord } from './write-record.ts'

/** A record that is about to be written. */
export interface LineRecord {
  /** Index in the batch. */
  readonly record: number
  /** Index of its scope in the batch. */
  readonly scope: number
  /** Its time, or else the observed time, or else that of receipt; epoch milliseconds. */
  readonly timeMs: number
}

export interface OtlpJsonLinesOptions {
  /** Records with different keys never share a line. */
  key(record: LineRecord): string
  /** The line at `[start, end)` of the output, its newline included. */
  line(key: string, start: number, end: number): void
  /** The record cannot be written; the others go on. */
  failed(record: number, error: MalformedError): void
}

/** A longer line ends: the Collector's `otlpjsonfile` receiver cuts lines of more than a MiB in two. */
const LINE_BYTES = 512 * 1024
const ROOM = 1024
const COMMA = 0x2c
const NEWLINE = 0x0a

/** Where in a request the next record goes. */
interface Place {
  /** Where the line begins; -1 before it does. */
  start: number
  key: string
  resource: number
  scope: number
}

const NOWHERE: Place = { start: -1, key: '', resource: -1, scope: -1 }

/** Renders batches as OTLP/JSON requests, `{"resourceLogs":[…]}`, one a line, straight from the wire bytes. */
export class OtlpJsonLines {
  readonly #options: OtlpJsonLinesOptions
  readonly #record = new OtlpJsonRecord()
  #place = NOWHERE

  constructor(options: OtlpJsonLinesOptions) {
    this.#options = options
  }

  /** Renders every live record of the batch. */
  render({ data }: LogBatch, out: JsonWriter): void {
    this.#place = NOWHERE
    for (let record = 0; record < recordCount(data); record++) {
      if (isDropped(data, record)) continue
      const mark = out.pos
      const before = this.#place
      this.#place = { ...before }
      try {
        this.#renderRecord(data, record, out)
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error
        // A line of its own goes with the record; one that ended before it stays.
        const isNewLine = this.#place.start !== before.start
        out.rewind(isNewLine ? this.#place.start : mark)
        this.#place = isNewLine ? NOWHERE : before
        this.#options.failed(record, error)
      }
    }
    this.#endLine(out)
  }

  #renderRecord(data: BatchData, record: number, out: JsonWriter): void {
    const { rows, structure } = data
    const row = record * L.STRIDE
    const edited = (rows[row + L.STATE] & EDITED) === 0 ? undefined : data.edits.get(record)
    const start = edited ? 0 : rows[row + L.START]
    const end = edited ? edited.length : rows[row + L.END]
    const scope = rows[row + L.SCOPE]
    this.#record.read(edited ?? data.bytes, start, end)
    const timeMs = this.#record.timeMs() ?? partOf(data, record).receivedMs
    const key = this.#options.key({ record, scope, timeMs })
    const { start: line } = this.#place
    if (line !== -1 && (key !== this.#place.key || out.pos - line >= LINE_BYTES)) this.#endLine(out)
    out.reserve(ROOM)
    this.#enter(data, structure.scopes[scope * S.STRIDE + S.RESOURCE], scope, key, out)
    out.reserve((end - start) * OTLP_JSON_GROWTH + ROOM)
    this.#record.write(out)
  }

  /** Opens the line, the resource and the scope, as far as the record before was in others. */
  #enter(data: BatchData, resource: number, scope: number, key: string, out: JsonWriter): void {
    const place = this.#place
    if (place.start === -1) {
      place.start = out.pos
      place.key = key
      out.ascii('{"resourceLogs":[')
    } else if (scope === place.scope) {
      out.byte(COMMA)
      return
    }
    if (resource !== place.resource) {
      if (place.resource !== -1) out.ascii(']}]},')
      out.byte(0x7b)
      writeResource(out, data, scope)
      out.ascii(',"scopeLogs":[')
      place.resource = resource
    } else out.ascii(']},')
    out.byte(0x7b)
    writeScope(out, data, scope)
    out.ascii(',"logRecords":[')
    place.scope = scope
  }

  #endLine(out: JsonWriter): void {
    const { start, key } = this.#place
    if (start === -1) return
    out.reserve(ROOM)
    out.ascii(']}]}]}')
    out.byte(NEWLINE)
    this.#place = { ...NOWHERE }
    this.#options.line(key, start, out.pos)
  }
}
