import type { Extent } from './extent.ts'
import { CHECKED, L, LONG_INT, R, S, type Structure } from './structure.ts'
import { checkUtf8 } from './utf8.ts'
import {
  AnyValue,
  EntityRef,
  KeyValue,
  LEN,
  LIST_ITEM,
  MAX_DEPTH,
  Record,
  Resource,
  Scope,
  WireReader,
} from './wire.ts'

/**
 * The one walk over everything inside a request at the door. After it, readers behind may trust lengths,
 * wire types, nesting and UTF-8. All functions leave the reader at `end`, throw `MalformedError`, and
 * return true when a field that may appear once appeared twice, which `normalize` then rewrites.
 */

/** A number that is free again: early versions of OTLP had the record's name in it. */
const OLD_NAME = 4

/** Checks one LogRecord and fills its row of the record table with offsets relative to `base`. */
export function checkRecord(
  reader: WireReader,
  end: number,
  rows: Int32Array,
  row: number,
  base: number,
): boolean {
  let repeated = false
  let bodies = 0
  let attributes = 0
  longInt = false
  rows.fill(0, row + L.SEVERITY, row + L.STRIDE)
  while (reader.pos < end) {
    const tag = reader.tag(end)
    switch (tag) {
      case Record.attributes:
        if (checkKeyValue(reader, reader.length(end), 1)) repeated = true
        attributes++
        break
      case Record.body: {
        const values = longestValue
        longestValue = 0
        if (checkAnyValue(reader, reader.length(end), 1)) repeated = true
        longestBody = Math.max(longestBody, longestValue)
        longestValue = values
        bodies++
        break
      }
      case Record.time:
        rows[row + L.TIME] = reader.pos - base
        reader.fixed(8, end)
        break
      case Record.observedTime:
        rows[row + L.OBSERVED] = reader.pos - base
        reader.fixed(8, end)
        break
      case Record.severityNumber:
        rows[row + L.SEVERITY] = reader.int32(end)
        break
      case Record.severityText:
        noteValue(checkText(reader, end, 'severity_text'))
        break
      case Record.eventName:
        noteValue(checkText(reader, end, 'event_name'))
        break
      case Record.traceId: {
        const stop = reader.length(end)
        rows[row + L.TRACE] = reader.pos - base
        rows[row + L.TRACE_SIZE] = stop - reader.pos
        reader.pos = stop
        break
      }
      case Record.spanId: {
        const stop = reader.length(end)
        rows[row + L.SPAN] = reader.pos - base
        rows[row + L.SPAN_SIZE] = stop - reader.pos
        reader.pos = stop
        break
      }
      case Record.flags:
        rows[row + L.FLAGS] = reader.pos - base
        reader.fixed(4, end)
        break
      case Record.droppedAttributesCount:
        reader.varint(end)
        break
      default:
        if (tag >>> 3 === OLD_NAME) reader.skip(tag, end)
        else skipUnknown(reader, tag, end, 12, 'log_records')
    }
  }
  noteAttributes(attributes)
  rows[row + L.STATE] |= longInt ? CHECKED | LONG_INT : CHECKED
  return repeated || bodies > 1
}

/** Checks all resources and scopes of a request. */
export function checkContexts(
  bytes: Buffer,
  { resources, scopes }: Structure,
): { readonly repeated: boolean; readonly longInts: boolean } {
  const reader = new WireReader(bytes)
  let repeated = false
  longInt = false
  for (const [table, columns, check] of [
    [resources, R, checkResource],
    [scopes, S, checkScope],
  ] as const) {
    for (let at = 0; at < table.length; at += columns.STRIDE) {
      if (table[at + columns.MESSAGE] === -1) continue
      reader.pos = table[at + columns.MESSAGE]
      if (check(reader, table[at + columns.MESSAGE_END])) repeated = true
    }
  }
  return { repeated, longInts: longInt }
}

/** Checks a Resource message. */
export function checkResource(reader: WireReader, end: number): boolean {
  let repeated = false
  let attributes = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === Resource.attributes) {
      if (checkKeyValue(reader, reader.length(end), 1)) repeated = true
      attributes++
    } else if (tag === Resource.droppedAttributesCount) reader.varint(end)
    else if (tag === Resource.entityRefs) checkEntityRef(reader, reader.length(end))
    else skipUnknown(reader, tag, end, 3, 'resource')
  }
  noteAttributes(attributes)
  return repeated
}

function checkEntityRef(reader: WireReader, end: number): void {
  while (reader.pos < end) {
    const tag = reader.tag(end)
    const isText = tag >= EntityRef.schemaUrl && tag <= EntityRef.descriptionKeys && (tag & 7) === LEN
    if (isText) checkText(reader, end, 'entity_refs')
    else skipUnknown(reader, tag, end, 4, 'entity_refs')
  }
}

/** Checks an InstrumentationScope message. */
export function checkScope(reader: WireReader, end: number): boolean {
  let repeated = false
  let attributes = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === Scope.attributes) {
      if (checkKeyValue(reader, reader.length(end), 1)) repeated = true
      attributes++
    } else if (tag === Scope.name || tag === Scope.version) noteValue(checkText(reader, end, 'scope'))
    else if (tag === Scope.droppedAttributesCount) reader.varint(end)
    else skipUnknown(reader, tag, end, 4, 'scope')
  }
  noteAttributes(attributes)
  return repeated
}

let longInt = false
let mostAttributes = 0
let longestKey = 0
let longestValue = 0
let longestBody = 0

/** Begins to measure anew. */
export function beginExtent(): void {
  mostAttributes = longestKey = longestValue = longestBody = 0
}

/** What was met since `beginExtent`. */
export function extentMet(): Extent {
  return { attributes: mostAttributes, key: longestKey, value: longestValue, body: longestBody }
}

function noteAttributes(count: number): void {
  if (count > mostAttributes) mostAttributes = count
}

function noteValue(bytes: number): void {
  if (bytes > longestValue) longestValue = bytes
}

/**
 * Ten digits or more, and no time since 1970 in milli-, micro- or nanoseconds, which many records carry. Of more than
 * 64 bits readers take the lower ones, which may be anything.
 */
function isLongInt(value: number): boolean {
  if (value < 1e10 || (value >= 2 ** 63 && value <= 2 ** 64)) return false
  return !(
    (value >= 1e12 && value < 2e12) ||
    (value >= 1e15 && value < 2e15) ||
    (value >= 1e18 && value < 2e18)
  )
}

function checkKeyValue(reader: WireReader, end: number, depth: number): boolean {
  let repeated = false
  let keys = 0
  let values = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === KeyValue.key) {
      longestKey = Math.max(longestKey, checkText(reader, end, 'attribute key'))
      keys++
    } else if (tag === KeyValue.value) {
      if (checkAnyValue(reader, reader.length(end), depth)) repeated = true
      values++
    } else if (tag === KeyValue.keyIndex) reader.varint(end)
    else skipUnknown(reader, tag, end, 3, 'attributes')
  }
  return repeated || keys > 1 || values > 1
}

function checkAnyValue(reader: WireReader, end: number, depth: number): boolean {
  if (depth > MAX_DEPTH) throw reader.tooDeep()
  let repeated = false
  let kinds = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    kinds++
    switch (tag) {
      case AnyValue.string:
        noteValue(checkText(reader, end, 'string value'))
        break
      case AnyValue.bool:
      case AnyValue.stringIndex:
        reader.varint(end)
        break
      case AnyValue.int: {
        if (isLongInt(reader.varint(end))) longInt = true
        break
      }
      case AnyValue.double:
        reader.fixed(8, end)
        break
      case AnyValue.array:
      case AnyValue.kvlist: {
        const stop = reader.length(end)
        while (reader.pos < stop) {
          const item = reader.tag(stop)
          if (item !== LIST_ITEM) skipUnknown(reader, item, stop, 1, 'list value')
          else if (tag === AnyValue.array) {
            if (checkAnyValue(reader, reader.length(stop), depth + 1)) repeated = true
          } else if (checkKeyValue(reader, reader.length(stop), depth + 1)) repeated = true
        }
        break
      }
      case AnyValue.bytes: {
        const stop = reader.length(end)
        noteValue(stop - reader.pos)
        reader.pos = stop
        break
      }
      default:
        kinds--
        skipUnknown(reader, tag, end, 8, 'value')
    }
  }
  return repeated || kinds > 1
}

/** A length-delimited field that must hold UTF-8. Gives its length. */
function checkText(reader: WireReader, end: number, what: string): number {
  const stop = reader.length(end)
  const size = stop - reader.pos
  checkUtf8(reader, stop, what)
  return size
}

/** Skips a field of a newer protocol version; a known number (up to `last`) with another wire type is refused. */
function skipUnknown(reader: WireReader, tag: number, end: number, last: number, message: string): void {
  if (tag >>> 3 <= last) throw reader.malformed(`wire type ${tag & 7} for field ${tag >>> 3} of ${message}`)
  reader.skip(tag, end)
}
