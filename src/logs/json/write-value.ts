import { KeyValueSpan } from '../key-value.ts'
import { writeDouble } from '../ndjson/double.ts'
import type { JsonWriter } from '../ndjson/json-writer.ts'
import { AnyValue, LIST_ITEM, MAX_DEPTH, type WireReader } from '../wire.ts'

/** Tags up to here are those of a value's members, of which the last counts. */
const LAST_MEMBER = AnyValue.stringIndex
const QUOTE = 0x22
const COMMA = 0x2c
const CLOSE = 0x7d
const span = new KeyValueSpan()

/** Writes the AnyValue at `[reader.pos, end)` as OTLP/JSON: `{"stringValue":"a"}`, or `{}` where it is empty. */
export function writeValue(
  out: JsonWriter,
  reader: WireReader,
  view: DataView,
  end: number,
  depth = 1,
): void {
  if (depth > MAX_DEPTH) throw reader.tooDeep()
  out.byte(0x7b)
  const start = out.pos
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag <= LAST_MEMBER) out.pos = start
    if (tag === AnyValue.string) {
      const stop = reader.length(end)
      out.ascii('"stringValue":')
      out.text(reader.bytes, view, reader.pos, stop)
      reader.pos = stop
    } else if (tag === AnyValue.int) {
      out.ascii('"intValue":"')
      out.int64(reader, end)
      out.byte(QUOTE)
    } else if (tag === AnyValue.bool) {
      out.ascii(reader.varint(end) === 0 ? '"boolValue":false' : '"boolValue":true')
    } else if (tag === AnyValue.double) {
      reader.fixed(8, end)
      out.ascii('"doubleValue":')
      writeNumber(out, view.getFloat64(reader.pos - 8, true))
    } else if (tag === AnyValue.kvlist) {
      out.ascii('"kvlistValue":{"values":')
      writeKeyValues(out, reader, view, reader.length(end), LIST_ITEM, depth + 1)
      out.byte(CLOSE)
    } else if (tag === AnyValue.array) {
      out.ascii('"arrayValue":{"values":')
      writeItems(out, reader, view, reader.length(end), depth + 1)
      out.byte(CLOSE)
    } else if (tag === AnyValue.bytes) {
      const stop = reader.length(end)
      out.ascii('"bytesValue":"')
      out.ascii(reader.bytes.toString('base64', reader.pos, stop))
      out.byte(QUOTE)
      reader.pos = stop
    } else reader.skip(tag, end)
  }
  out.byte(CLOSE)
}

/** Writes the KeyValues in the fields `tag` of the message at `[reader.pos, end)`: `[{"key":"a","value":{}}]`. */
export function writeKeyValues(
  out: JsonWriter,
  reader: WireReader,
  view: DataView,
  end: number,
  tag: number,
  depth = 1,
): void {
  out.byte(0x5b)
  let first = true
  while (reader.pos < end) {
    const found = reader.tag(end)
    if (found !== tag) {
      reader.skip(found, end)
      continue
    }
    if (first) first = false
    else out.byte(COMMA)
    writeKeyValue(out, reader, view, reader.length(end), depth)
  }
  out.byte(0x5d)
}

function writeKeyValue(
  out: JsonWriter,
  reader: WireReader,
  view: DataView,
  end: number,
  depth: number,
): void {
  span.read(reader, end)
  const { keyStart, keyEnd, hasValue, valueStart, valueEnd } = span
  out.ascii('{"key":')
  out.text(reader.bytes, view, keyStart, keyEnd)
  if (hasValue) {
    out.ascii(',"value":')
    reader.pos = valueStart
    writeValue(out, reader, view, valueEnd, depth)
    reader.pos = end
  }
  out.byte(CLOSE)
}

function writeItems(out: JsonWriter, reader: WireReader, view: DataView, end: number, depth: number): void {
  out.byte(0x5b)
  let first = true
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag !== LIST_ITEM) {
      reader.skip(tag, end)
      continue
    }
    if (first) first = false
    else out.byte(COMMA)
    writeValue(out, reader, view, reader.length(end), depth)
  }
  out.byte(0x5d)
}

/** As proto3's JSON: what JSON numbers lack is a string. */
function writeNumber(out: JsonWriter, value: number): void {
  if (Number.isFinite(value)) out.pos = writeDouble(out.bytes, out.pos, value)
  else out.ascii(`"${value}"`)
}
