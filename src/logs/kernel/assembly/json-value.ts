import { dropKeys, hasKey, keyBit, keyCount, noteKey } from './json-keys'
import { double, int } from './json-number'
import { ascii, text } from './json-text'
import { giveUp, unusual } from './memory'
import { length, next, varint } from './wire'

/** Values as JSON, as `JsonWriter` writes them. What is odd (an unknown field, several values in one) is given up. */

const MAX_DEPTH: i32 = 64

/**
 * Writes the KeyValues in the fields `tag` of the message at `[pos, end)` to `out`, as members of an object without its
 * braces. Gives the end, or -1 when it gave up. `depth` is that of the values around them.
 */
export function members(pos: i32, end: i32, tag: i32, out: i32, depth: i32): i32 {
  const mark = keyCount
  /** Those of the keys so far. */
  let bits: u64 = 0
  while (pos < end) {
    if (load<u8>(pos) !== tag) {
      pos = skip(pos, end)
      if (pos > end) return -1
      continue
    }
    const stop = length(pos + 1, end)
    if (unusual) return -1
    pos = next
    let keyStart = pos
    let keyEnd = pos
    let valueStart = stop
    let valueEnd = stop
    while (pos < stop) {
      const part: i32 = load<u8>(pos)
      const partEnd = length(pos + 1, stop)
      if (unusual) return -1
      if (part === 0x0a) {
        keyStart = next
        keyEnd = partEnd
      } else if (part === 0x12) {
        valueStart = next
        valueEnd = partEnd
      } else return -1
      pos = partEnd
    }
    const bit = keyBit(keyStart, keyEnd)
    if ((bits & bit) !== 0 && hasKey(mark, keyStart, keyEnd)) continue
    if (!noteKey(mark, keyStart, keyEnd)) return -1
    if (bits !== 0) store<u8>(out++, 0x2c)
    bits |= bit
    out = text(keyStart, keyEnd, out)
    store<u8>(out++, 0x3a)
    out = value(valueStart, valueEnd, out, depth + 1)
    if (out < 0) return -1
  }
  dropKeys(mark)
  return out
}

/** Writes the AnyValue at `[pos, end)` to `out`. Gives the end, or -1 when it gave up. */
export function value(pos: i32, end: i32, out: i32, depth: i32): i32 {
  if (depth > MAX_DEPTH) return -1
  if (pos === end) return ascii('null', out)
  const tag: i32 = load<u8>(pos++)
  if (tag === 0x21) return pos + 8 === end ? double(load<f64>(pos), out) : -1
  if (tag === 0x10 || tag === 0x18) {
    const number = varint(pos, end)
    if (next !== end) return -1
    if (tag === 0x18) return int(number, out)
    return number === 0 ? ascii('false', out) : ascii('true', out)
  }
  if (length(pos, end) !== end) return -1
  pos = next
  if (tag === 0x0a) return text(pos, end, out)
  if (tag === 0x3a) return hex(pos, end, out)
  if (tag === 0x32) {
    store<u8>(out, 0x7b)
    out = members(pos, end, 0x0a, out + 1, depth)
    if (out < 0) return -1
    store<u8>(out, 0x7d)
    return out + 1
  }
  return tag === 0x2a ? items(pos, end, out, depth) : -1
}

function items(pos: i32, end: i32, out: i32, depth: i32): i32 {
  let first = true
  store<u8>(out++, 0x5b)
  while (pos < end) {
    if (load<u8>(pos) !== 0x0a) return -1
    const stop = length(pos + 1, end)
    if (unusual) return -1
    if (first) first = false
    else store<u8>(out++, 0x2c)
    out = value(next, stop, out, depth + 1)
    if (out < 0) return -1
    pos = stop
  }
  store<u8>(out, 0x5d)
  return out + 1
}

/** Writes bytes as a JSON string of hexadecimal digits. */
export function hex(pos: i32, end: i32, out: i32): i32 {
  store<u8>(out++, 0x22)
  for (; pos < end; pos++) {
    const byte: i32 = load<u8>(pos)
    store<u8>(out++, hexDigit(byte >> 4))
    store<u8>(out++, hexDigit(byte & 15))
  }
  store<u8>(out, 0x22)
  return out + 1
}

function hexDigit(value: i32): i32 {
  return value + (value < 10 ? 0x30 : 0x57)
}

/** Steps over the field at `pos`; gives a place past `end` when it is not whole. */
export function skip(pos: i32, end: i32): i32 {
  const tag: i32 = load<u8>(pos)
  if (tag < 8 || tag > 0x7f) return giveUp()
  switch (tag & 7) {
    case 0:
      varint(pos + 1, end)
      return next
    case 1:
      return pos + 9
    case 2:
      return length(pos + 1, end)
    case 5:
      return pos + 5
    default:
      return giveUp()
  }
}
