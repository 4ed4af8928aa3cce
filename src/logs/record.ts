import { crc32 } from 'node:zlib'
import { readKeyValue, type Value } from './any-value.ts'
import type { BatchData } from './data.ts'
import type { KeySet } from './key-set.ts'
import { EDITED, L } from './structure.ts'
import { Record, WireReader } from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/** Absent, usable, or there but not what the W3C and OTLP allow: wrong length or all zeros. */
export type IdState = 'absent' | 'valid' | 'invalid'

/** Trace fields to set; an empty id clears what is there. */
export interface TraceContext {
  /** 16 bytes, or none. */
  readonly traceId?: Uint8Array
  /** 8 bytes, or none. */
  readonly spanId?: Uint8Array
  readonly flags?: number
}

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

/** One record of a batch: a view that is moved from record to record, so don't keep it. */
export class LogRecord {
  readonly #data: BatchData
  readonly #edit: (record: number, content: Buffer) => void
  readonly #drop: (record: number, reason: string) => void
  #index = 0
  #row = 0
  /** The bytes that hold the record's content, and where it starts. */
  #bytes: Buffer
  #start = 0
  #end = 0

  constructor(
    data: BatchData,
    edit: (record: number, content: Buffer) => void,
    drop: (record: number, reason: string) => void,
  ) {
    this.#data = data
    this.#bytes = data.bytes
    this.#edit = edit
    this.#drop = drop
  }

  /** @internal */
  moveTo(index: number): void {
    const { rows, bytes, edits } = this.#data
    const row = index * L.STRIDE
    this.#index = index
    this.#row = row
    const edited = (rows[row + L.STATE] & EDITED) === 0 ? undefined : edits.get(index)
    this.#bytes = edited ?? bytes
    this.#start = edited === undefined ? rows[row + L.START] : 0
    this.#end = edited === undefined ? rows[row + L.END] : edited.length
  }

  /** 1 to 24, or 0 where the record has none. */
  get severityNumber(): number {
    return this.#data.rows[this.#row + L.SEVERITY]
  }

  get traceIdState(): IdState {
    return this.#idState(L.TRACE, L.TRACE_SIZE, TRACE_ID_BYTES)
  }

  get spanIdState(): IdState {
    return this.#idState(L.SPAN, L.SPAN_SIZE, SPAN_ID_BYTES)
  }

  get hasFlags(): boolean {
    return this.#data.rows[this.#row + L.FLAGS] !== 0
  }

  /** The upper 24 of the 56 random bits that a valid trace id ends with (W3C Trace Context level 2). */
  get traceRandomHigh(): number {
    const at = this.#start + this.#data.rows[this.#row + L.TRACE] + 9
    return (this.#bytes[at] << 16) | (this.#bytes[at + 1] << 8) | this.#bytes[at + 2]
  }

  /** The lower 32 of those bits. */
  get traceRandomLow(): number {
    return this.#bytes.readUInt32BE(this.#start + this.#data.rows[this.#row + L.TRACE] + 12)
  }

  /** 32 bits that depend on every byte of the record: the same record gives the same bits. */
  get hash(): number {
    return crc32(this.#bytes.subarray(this.#start, this.#end))
  }

  /** Whether the record has an attribute of these names: one quick pass, for the many records that have none. */
  hasAttribute(names: KeySet): boolean {
    const reader = new WireReader(this.#bytes, this.#start)
    while (reader.pos < this.#end) {
      const tag = reader.tag(this.#end)
      if (tag !== Record.attributes) {
        reader.skip(tag, this.#end)
        continue
      }
      const stop = reader.length(this.#end)
      if (names.hasKeyOf(reader, stop)) return true
      reader.pos = stop
    }
    return false
  }

  /** The value of an attribute; of the first one where the key is there twice. */
  attribute(name: string): Value | undefined {
    const reader = new WireReader(this.#bytes, this.#start)
    while (reader.pos < this.#end) {
      const tag = reader.tag(this.#end)
      if (tag !== Record.attributes) {
        reader.skip(tag, this.#end)
        continue
      }
      const stop = reader.length(this.#end)
      const [key, value] = readKeyValue(this.#bytes, reader.pos, stop)
      if (key === name) return value
      reader.pos = stop
    }
    return undefined
  }

  /** Sets trace fields. Appending is enough: of a scalar that is there twice, the last counts. */
  setTraceContext({ traceId, spanId, flags }: TraceContext): void {
    const writer = new WireWriter(this.#end - this.#start + 40)
    writer.copy(this.#bytes, this.#start, this.#end)
    if (traceId !== undefined) writer.field(Record.traceId, traceId)
    if (spanId !== undefined) writer.field(Record.spanId, spanId)
    if (flags !== undefined) {
      writer.varint(Record.flags)
      writer.fixed32(flags)
    }
    this.#edit(this.#index, writer.take())
    this.moveTo(this.#index)
  }

  /** Takes the record out of the batch; the pipeline counts it under the reason, a short fixed word. */
  drop(reason: string): void {
    this.#drop(this.#index, reason)
  }

  #idState(column: number, sizeColumn: number, size: number): IdState {
    const { rows } = this.#data
    const offset = rows[this.#row + column]
    const found = rows[this.#row + sizeColumn]
    if (offset === 0 || found === 0) return 'absent'
    if (found !== size) return 'invalid'
    const at = this.#start + offset
    for (let i = 0; i < size; i++) if (this.#bytes[at + i] !== 0) return 'valid'
    return 'invalid'
  }
}
