import { dropKeys } from './json-keys'
import { digits, int, padded } from './json-number'
import { ascii, copy, text } from './json-text'
import { hex, members, skip, value } from './json-value'
import { begin, CONTEXT, OUTPUT, OUTPUT_SIZE, unusual } from './memory'
import { length, next, varint } from './wire'

/**
 * A record as a document, as `RecordJson` writes it with times in milliseconds. What is odd is given up, and so are
 * records with attributes that may steer the exporter, or that alone name the event.
 */

/** The most bytes of JSON that a byte of wire becomes: `\u0000`. */
const MOST_PER_BYTE: i32 = 6
/** For names, and for what is written past the end of a text. */
const ROOM: i32 = 1024
/** Greatest integer up to which a double holds them all. */
const MAX_SAFE: f64 = 9007199254740991

let start: i32 = 0
let end: i32 = 0
let time: u64 = 0
let observed: u64 = 0
let severityNumber: i32 = 0
let severityText: i32 = 0
let severityTextEnd: i32 = 0
let body: i32 = 0
let bodyEnd: i32 = 0
let droppedAttributes: u32 = 0
let flags: i32 = 0
let traceId: i32 = 0
let traceIdEnd: i32 = 0
let spanId: i32 = 0
let spanIdEnd: i32 = 0
let eventName: i32 = 0
let eventNameEnd: i32 = 0
let milliseconds: f64 = 0

/** Epoch milliseconds of the record that was written last. */
export function timeMs(): f64 {
  return milliseconds
}

/** Finds the fields of the record at `[from, to)`. False when it is none for the kernel. */
export function readRecord(from: i32, to: i32): bool {
  begin()
  start = from
  end = to
  time = observed = 0
  severityNumber = flags = 0
  droppedAttributes = 0
  severityText = severityTextEnd = body = bodyEnd = eventName = eventNameEnd = 0
  traceId = traceIdEnd = spanId = spanIdEnd = 0
  let named: bool = false
  let pos = from
  while (pos < to) {
    const tag: i32 = load<u8>(pos)
    switch (tag) {
      case 0x09:
        time = load<u64>(pos, 1)
        pos += 9
        break
      case 0x59:
        observed = load<u64>(pos, 1)
        pos += 9
        break
      case 0x45:
        flags = load<u8>(pos, 1)
        pos += 5
        break
      case 0x10:
        severityNumber = <i32>varint(pos + 1, to)
        pos = next
        break
      case 0x38:
        droppedAttributes = <u32>varint(pos + 1, to)
        pos = next
        break
      case 0x1a:
        severityTextEnd = pos = length(pos + 1, to)
        severityText = next
        break
      case 0x2a:
        bodyEnd = pos = length(pos + 1, to)
        body = next
        break
      case 0x32:
        pos = length(pos + 1, to)
        if (unusual || maySteer(next, pos)) return false
        if (isEventName(next, pos)) named = true
        break
      case 0x4a:
        traceIdEnd = pos = length(pos + 1, to)
        traceId = next
        break
      case 0x52:
        spanIdEnd = pos = length(pos + 1, to)
        spanId = next
        break
      case 0x62:
        eventNameEnd = pos = length(pos + 1, to)
        eventName = next
        break
      default:
        pos = skip(pos, to)
    }
    if (pos > to) return false
  }
  return !named || eventName !== eventNameEnd
}

const DATA_STR: u64 = 0x7274_735f_6174_6164
const ELASTIC: u64 = 0x0063_6974_7361_6c65

/** Whether the key of the KeyValue at `[pos, end)` may be one of those in `control.ts`. */
function maySteer(pos: i32, end: i32): bool {
  // Shorter ones are no control keys, nor the name of an event.
  if (end - pos < 17) return false
  const size: i32 = load<u8>(pos, 1)
  if (load<u8>(pos) !== 0x0a || size > 0x7f) return true
  const head = load<u64>(pos, 2)
  return size >= 16 && (head === DATA_STR || (head & 0x00ff_ffff_ffff_ffff) === ELASTIC)
}

const EVENT_NA: u64 = 0x616e_2e74_6e65_7665
const ME: u16 = 0x656d

/** Whether the key of the KeyValue at `[pos, end)` is `event.name`, which stands for a field that is missing. */
function isEventName(pos: i32, end: i32): bool {
  return (
    end - pos >= 17 && load<u8>(pos, 1) === 10 && load<u64>(pos, 2) === EVENT_NA && load<u16>(pos, 10) === ME
  )
}

/**
 * Writes the record that was read to `out`, with what stands in the context: `dataStreamSize` bytes for after the times
 * and then `contextSize` for after the attributes. Gives the end, or -1 when it gave up.
 */
export function writeRecord(out: i32, dataStreamSize: i32, contextSize: i32, receivedMs: f64): i32 {
  const most = (end - start) * MOST_PER_BYTE + dataStreamSize + contextSize + ROOM
  if (out + most > OUTPUT + OUTPUT_SIZE) return -1
  begin()
  dropKeys(0)
  const happened = time !== 0 ? time : observed
  out = ascii('{"@timestamp":', out)
  if (happened !== 0) {
    milliseconds = <f64>(happened / 1_000_000)
    out = timestamp(happened / 1_000_000, happened % 1_000_000, out)
  } else {
    if (!(receivedMs >= 0 && receivedMs <= MAX_SAFE) || trunc(receivedMs) !== receivedMs) return -1
    milliseconds = receivedMs
    out = timestamp(<u64>receivedMs, 0, out)
  }
  if (observed !== 0) {
    out = ascii(',"observed_timestamp":', out)
    out = timestamp(observed / 1_000_000, observed % 1_000_000, out)
  }
  out = copy(CONTEXT, dataStreamSize, out)
  if (severityText !== severityTextEnd)
    out = text(severityText, severityTextEnd, ascii(',"severity_text":', out))
  if (severityNumber !== 0) out = int(<i64>severityNumber, ascii(',"severity_number":', out))
  if (traceId !== traceIdEnd) out = hex(traceId, traceIdEnd, ascii(',"trace_id":', out))
  if (spanId !== spanIdEnd) out = hex(spanId, spanIdEnd, ascii(',"span_id":', out))
  if (flags !== 0) out = digits(flags, ascii(',"trace_flags":', out))
  if (eventName !== eventNameEnd) out = text(eventName, eventNameEnd, ascii(',"event_name":', out))
  if (droppedAttributes !== 0) out = digits(droppedAttributes, ascii(',"dropped_attributes_count":', out))
  out = members(start, end, 0x32, ascii(',"attributes":{', out), 0)
  if (out < 0) return -1
  out = copy(CONTEXT + dataStreamSize, contextSize, ascii('}', out))
  if (body !== bodyEnd) {
    out = writeBody(out)
    if (out < 0) return -1
  }
  return ascii('}\n', out)
}

function timestamp(millis: u64, nanos: u64, out: i32): i32 {
  out = digits(millis, ascii('"', out))
  store<u8>(out, 0x2e)
  padded(<u32>nanos, 6, out + 1)
  return ascii('"', out + 7)
}

/** As `writeBody` in TypeScript. */
function writeBody(out: i32): i32 {
  const kind: i32 = load<u8>(body)
  if (kind === 0x2a && !isListOfMaps()) {
    out = value(body, bodyEnd, ascii(',"body":{"structured":{"value":', out), 1)
    return out < 0 ? -1 : ascii('}}', out)
  }
  const structured = kind === 0x2a || kind === 0x32
  out = structured ? ascii(',"body":{"structured":', out) : ascii(',"body":{"text":', out)
  out = value(body, bodyEnd, out, 1)
  return out < 0 ? -1 : ascii('}', out)
}

/** Whether the body, a list, holds maps and nothing else; where it is odd, writing it says so. */
function isListOfMaps(): bool {
  const stop = length(body + 1, bodyEnd)
  let item = next
  if (unusual || item === stop) return false
  while (item < stop) {
    const itemEnd = length(item + 1, stop)
    if (unusual || next === itemEnd || load<u8>(next) !== 0x32) return false
    item = itemEnd
  }
  return true
}
