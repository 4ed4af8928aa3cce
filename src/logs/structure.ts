import { ENVELOPE } from './envelope.ts'
import { checkUtf8 } from './utf8.ts'
import { MalformedError, Request, ResourceLogs, ScopeLogs, WireReader } from './wire.ts'

/**
 * Where everything lies in a request: three tables of byte offsets, in the order of the bytes.
 * Rows are runs of `STRIDE` integers; the constants below name the columns.
 */
export interface Structure {
  /** One row per ResourceLogs. */
  readonly resources: Int32Array
  /** One row per ScopeLogs. */
  readonly scopes: Int32Array
  /** One row per LogRecord. */
  readonly records: Int32Array
  /** Start and end of each envelope, and the index of the first ResourceLogs after it. */
  readonly envelopes: readonly { readonly start: number; readonly end: number; readonly resource: number }[]
  /** A message that may appear once appears twice: legal, and rewritten by `normalize` before use. */
  readonly repeated: boolean
}

/** Columns of `resources`: the field's first byte, the ResourceLogs, the Resource in it and its schema URL (-1: none), the part it belongs to. */
export const R = {
  FIELD: 0,
  START: 1,
  END: 2,
  MESSAGE_FIELD: 3,
  MESSAGE: 4,
  MESSAGE_END: 5,
  URL: 6,
  URL_END: 7,
  PART: 8,
  STRIDE: 9,
} as const
/** Columns of `scopes`: as above, and the first record and the number of the ResourceLogs it is in. */
export const S = {
  FIELD: 0,
  START: 1,
  END: 2,
  MESSAGE_FIELD: 3,
  MESSAGE: 4,
  MESSAGE_END: 5,
  URL: 6,
  URL_END: 7,
  RESOURCE: 8,
  FIRST: 9,
  STRIDE: 10,
} as const
/**
 * Columns of `records`. The first four are known from the structure; POSITION counts the records of the
 * request as received; the rest is filled by `checkRecord`, offsets into the record's own bytes, 0 for none.
 */
export const L = {
  FIELD: 0,
  START: 1,
  END: 2,
  SCOPE: 3,
  POSITION: 4,
  STATE: 5,
  SEVERITY: 6,
  TRACE: 7,
  TRACE_SIZE: 8,
  SPAN: 9,
  SPAN_SIZE: 10,
  FLAGS: 11,
  TIME: 12,
  OBSERVED: 13,
  STRIDE: 14,
} as const

/** Bits of the STATE column. */
export const DROPPED = 1
export const EDITED = 2
/** The record holds an integer of ten digits or more, which may be a number redaction looks for. */
export const LONG_INT = 4
export const CHECKED = 8

/**
 * More of any kind are refused. An empty record is two bytes on the wire and 56 in its table, so that a request
 * within its size limit could otherwise take 30 times its size, and seconds to walk.
 */
const MAX_ROWS = 250_000

function tooMany(): MalformedError {
  return new MalformedError(`more than ${MAX_ROWS} records, scopes or resources in one request`)
}

/** Rows while the walk goes on; copied to their exact size at its end. */
class Table {
  rows: Int32Array
  size = 0
  readonly #stride: number

  constructor(stride: number) {
    this.#stride = stride
    this.rows = new Int32Array(stride * 64)
  }

  /** Appends a row of zeros and returns its first column. */
  add(): number {
    const at = this.size
    if (at === MAX_ROWS * this.#stride) throw tooMany()
    this.size += this.#stride
    if (this.size > this.rows.length) {
      const grown = new Int32Array(this.rows.length * 2)
      grown.set(this.rows)
      this.rows = grown
    }
    this.rows.fill(0, at, this.size)
    return at
  }

  take(): Int32Array {
    return this.rows.slice(0, this.size)
  }
}

const resources = new Table(R.STRIDE)
const scopes = new Table(S.STRIDE)
const records = new Table(L.STRIDE)

/**
 * Finds every ResourceLogs, ScopeLogs and LogRecord without looking inside the records.
 * @throws MalformedError where a length, a wire type or a schema URL is wrong
 */
export function readStructure(bytes: Buffer): Structure {
  resources.size = scopes.size = records.size = 0
  const envelopes: { start: number; end: number; resource: number }[] = []
  const reader = new WireReader(bytes)
  const end = bytes.length
  let repeated = false
  while (reader.pos < end) {
    const field = reader.pos
    const tag = reader.tag(end)
    if (tag === Request.resourceLogs) {
      if (readResourceLogs(reader, field, reader.length(end))) repeated = true
    } else if (tag === ENVELOPE) {
      const stop = reader.length(end)
      if (envelopes.length === MAX_ROWS) throw tooMany()
      envelopes.push({ start: reader.pos, end: stop, resource: resources.size / R.STRIDE })
      reader.pos = stop
    } else {
      refuseWireType(reader, tag, 1, 'resource_logs')
      reader.skip(tag, end)
    }
  }
  return { resources: resources.take(), scopes: scopes.take(), records: records.take(), envelopes, repeated }
}

function readResourceLogs(reader: WireReader, field: number, end: number): boolean {
  const at = resources.add()
  const { rows } = resources
  let repeated = false
  rows[at + R.FIELD] = field
  rows[at + R.START] = reader.pos
  rows[at + R.END] = end
  rows[at + R.MESSAGE] = rows[at + R.URL] = -1
  while (reader.pos < end) {
    const start = reader.pos
    const tag = reader.tag(end)
    if (tag === ResourceLogs.scopeLogs) {
      if (readScopeLogs(reader, start, reader.length(end), at / R.STRIDE)) repeated = true
    } else if (tag === ResourceLogs.resource) {
      if (rows[at + R.MESSAGE] !== -1) repeated = true
      const stop = reader.length(end)
      rows[at + R.MESSAGE_FIELD] = start
      rows[at + R.MESSAGE] = reader.pos
      rows[at + R.MESSAGE_END] = reader.pos = stop
    } else if (tag === ResourceLogs.schemaUrl) {
      const stop = reader.length(end)
      rows[at + R.URL] = reader.pos
      rows[at + R.URL_END] = stop
      checkUtf8(reader, stop, 'schema_url')
    } else {
      refuseWireType(reader, tag, 3, 'resource_logs')
      reader.skip(tag, end)
    }
  }
  return repeated
}

function readScopeLogs(reader: WireReader, field: number, end: number, resource: number): boolean {
  const at = scopes.add()
  const { rows } = scopes
  const scope = at / S.STRIDE
  let repeated = false
  rows[at + S.FIELD] = field
  rows[at + S.START] = reader.pos
  rows[at + S.END] = end
  rows[at + S.MESSAGE] = rows[at + S.URL] = -1
  rows[at + S.RESOURCE] = resource
  rows[at + S.FIRST] = records.size / L.STRIDE
  while (reader.pos < end) {
    const start = reader.pos
    const tag = reader.tag(end)
    if (tag === ScopeLogs.logRecords) {
      const stop = reader.length(end)
      const row = records.add()
      records.rows[row + L.FIELD] = start
      records.rows[row + L.START] = reader.pos
      records.rows[row + L.END] = stop
      records.rows[row + L.SCOPE] = scope
      reader.pos = stop
    } else if (tag === ScopeLogs.scope) {
      if (rows[at + S.MESSAGE] !== -1) repeated = true
      const stop = reader.length(end)
      rows[at + S.MESSAGE_FIELD] = start
      rows[at + S.MESSAGE] = reader.pos
      rows[at + S.MESSAGE_END] = reader.pos = stop
    } else if (tag === ScopeLogs.schemaUrl) {
      const stop = reader.length(end)
      rows[at + S.URL] = reader.pos
      rows[at + S.URL_END] = stop
      checkUtf8(reader, stop, 'schema_url')
    } else {
      refuseWireType(reader, tag, 3, 'scope_logs')
      reader.skip(tag, end)
    }
  }
  return repeated
}

/** A known field number (all of them up to `last`) that came with another wire type. */
function refuseWireType(reader: WireReader, tag: number, last: number, message: string): void {
  if (tag >>> 3 <= last) throw reader.malformed(`wire type ${tag & 7} for field ${tag >>> 3} of ${message}`)
}
