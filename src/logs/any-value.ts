import { AnyValue, KeyValue, LIST_ITEM, MAX_DEPTH, WireReader } from './wire.ts'

/** A value of OTLP as JavaScript has it; integers beyond 2^53 are bigints. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string, Value>

/** Reads a checked AnyValue at `[start, end)`. For the few values that somebody looks at, not for all. */
export function readValue(bytes: Buffer, start: number, end: number, depth = 1): Value {
  const reader = new WireReader(bytes, start)
  if (depth > MAX_DEPTH) throw reader.tooDeep()
  let value: Value = null
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === AnyValue.bool) value = reader.varint(end) !== 0
    else if (tag === AnyValue.int) value = readInt(reader, end)
    else if (tag === AnyValue.double) {
      value = bytes.readDoubleLE(reader.pos)
      reader.pos += 8
    } else if (
      tag === AnyValue.string ||
      tag === AnyValue.bytes ||
      tag === AnyValue.array ||
      tag === AnyValue.kvlist
    ) {
      const stop = reader.length(end)
      if (tag === AnyValue.string) value = bytes.toString('utf8', reader.pos, stop)
      else if (tag === AnyValue.bytes) value = bytes.subarray(reader.pos, stop)
      else if (tag === AnyValue.array)
        value = readItems(reader, stop).map(([from, to]) => readValue(bytes, from, to, depth + 1))
      else value = readMap(bytes, readItems(reader, stop), depth + 1)
      reader.pos = stop
    } else reader.skip(tag, end)
  }
  return value
}

/** Of a key that is there twice the first counts, as everywhere. */
function readMap(
  bytes: Buffer,
  items: readonly (readonly [number, number])[],
  depth: number,
): ReadonlyMap<string, Value> {
  const map = new Map<string, Value>()
  for (const [from, to] of items) {
    const [key, value] = readKeyValue(bytes, from, to, depth)
    if (!map.has(key)) map.set(key, value)
  }
  return map
}

/** Reads a checked KeyValue at `[start, end)`. */
export function readKeyValue(bytes: Buffer, start: number, end: number, depth = 1): [string, Value] {
  const reader = new WireReader(bytes, start)
  let key = ''
  let value: Value = null
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === KeyValue.key || tag === KeyValue.value) {
      const stop = reader.length(end)
      if (tag === KeyValue.key) key = bytes.toString('utf8', reader.pos, stop)
      else value = readValue(bytes, reader.pos, stop, depth)
      reader.pos = stop
    } else reader.skip(tag, end)
  }
  return [key, value]
}

function readItems(reader: WireReader, end: number): [number, number][] {
  const items: [number, number][] = []
  while (reader.pos < end) {
    const tag = reader.tag(end)
    if (tag === LIST_ITEM) {
      const stop = reader.length(end)
      items.push([reader.pos, stop])
      reader.pos = stop
    } else reader.skip(tag, end)
  }
  return items
}

function readInt(reader: WireReader, end: number): number | bigint {
  const exact = readInt64(reader, end)
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}

/** An int64 varint. */
export function readInt64(reader: WireReader, end: number): bigint {
  const start = reader.pos
  reader.varint(end)
  let value = 0n
  for (let at = reader.pos - 1; at >= start; at--) value = (value << 7n) | BigInt(reader.bytes[at] & 0x7f)
  return BigInt.asIntN(64, value)
}
