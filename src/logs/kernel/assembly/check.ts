import { begin, INPUT, MAX_CONTEXTS, MAX_RECORDS, RECORDS, RESOURCES, SCOPES, unusual } from './memory'
import { isUtf8 } from './utf8'
import { length, next, varint } from './wire'

/**
 * The walk at the door, for requests as SDKs write them: fills the tables of `readStructure` and `checkRecord` and
 * checks all that they check. Anything else (a field that is unknown, there twice, cut short or not UTF-8) is given up.
 */

/** Columns and sizes of rows in bytes; the meanings are in `structure.ts`. */
const R_SIZE: i32 = 9 * 4
const S_SIZE: i32 = 10 * 4
const L_SIZE: i32 = 14 * 4
const CHECKED: i32 = 8
const LONG_INT: i32 = 4
const MAX_DEPTH: i32 = 64

let resources: i32 = 0
let scopes: i32 = 0
let records: i32 = 0
let longInt: bool = false
let contextLongInt: bool = false
/** The most that was met of each: see `extent.ts`. */
let attributes: i32 = 0
let longestKey: i32 = 0
let longestValue: i32 = 0
let longestBody: i32 = 0

export function resourceCount(): i32 {
  return resources
}
export function scopeCount(): i32 {
  return scopes
}
/** Whether a resource or scope holds an integer that redaction looks at. */
export function contextLongInts(): bool {
  return contextLongInt
}

export function attributesMet(): i32 {
  return attributes
}
export function keyMet(): i32 {
  return longestKey
}
export function valueMet(): i32 {
  return longestValue
}
export function bodyMet(): i32 {
  return longestBody
}

/** Checks the request of `size` bytes in the input. Gives the number of records, or -1 when it gave up. */
export function check(size: i32): i32 {
  begin()
  resources = scopes = records = 0
  contextLongInt = false
  attributes = longestKey = longestValue = longestBody = 0
  const end = INPUT + size
  let pos = INPUT
  while (pos < end) {
    const field = pos
    if (load<u8>(pos) !== 0x0a) return -1
    const stop = length(pos + 1, end)
    if (unusual || !resourceLogs(field, next, stop)) return -1
    pos = stop
  }
  return records
}

function resourceLogs(field: i32, start: i32, end: i32): bool {
  if (resources === MAX_CONTEXTS) return false
  const resource = resources++
  const row = RESOURCES + resource * R_SIZE
  startRow(row, field, start, end)
  store<i32>(row, 0, 32)
  let pos = start
  while (pos < end) {
    const tag = load<u8>(pos)
    const stop = length(pos + 1, end)
    if (unusual) return false
    const value = next
    if (tag === 0x12) {
      if (!scopeLogs(resource, pos, value, stop)) return false
    } else if (tag === 0x0a) {
      if (load<i32>(row, 16) !== -1) return false
      noteMessage(row, pos, value, stop)
      longInt = false
      if (!attributesOnly(value, stop)) return false
      if (longInt) contextLongInt = true
    } else if (tag === 0x1a) {
      if (!noteUrl(row, value, stop)) return false
    } else return false
    pos = stop
  }
  return true
}

function scopeLogs(resource: i32, field: i32, start: i32, end: i32): bool {
  if (scopes === MAX_CONTEXTS) return false
  const scope = scopes++
  const row = SCOPES + scope * S_SIZE
  startRow(row, field, start, end)
  store<i32>(row, resource, 32)
  store<i32>(row, records, 36)
  let pos = start
  while (pos < end) {
    const tag = load<u8>(pos)
    const stop = length(pos + 1, end)
    if (unusual) return false
    const value = next
    if (tag === 0x12) {
      if (!record(scope, pos, value, stop)) return false
    } else if (tag === 0x0a) {
      if (load<i32>(row, 16) !== -1) return false
      noteMessage(row, pos, value, stop)
      longInt = false
      if (!instrumentationScope(value, stop)) return false
      if (longInt) contextLongInt = true
    } else if (tag === 0x1a) {
      if (!noteUrl(row, value, stop)) return false
    } else return false
    pos = stop
  }
  return true
}

function startRow(row: i32, field: i32, start: i32, end: i32): void {
  store<i32>(row, field - INPUT, 0)
  store<i32>(row, start - INPUT, 4)
  store<i32>(row, end - INPUT, 8)
  store<i32>(row, 0, 12)
  store<i32>(row, -1, 16)
  store<i32>(row, 0, 20)
  store<i32>(row, -1, 24)
  store<i32>(row, 0, 28)
}

function noteMessage(row: i32, field: i32, start: i32, end: i32): void {
  store<i32>(row, field - INPUT, 12)
  store<i32>(row, start - INPUT, 16)
  store<i32>(row, end - INPUT, 20)
}

function noteUrl(row: i32, start: i32, end: i32): bool {
  store<i32>(row, start - INPUT, 24)
  store<i32>(row, end - INPUT, 28)
  return isUtf8(start, end)
}

function attributesOnly(pos: i32, end: i32): bool {
  let count = 0
  while (pos < end) {
    const tag = load<u8>(pos)
    if (tag === 0x0a) {
      const stop = length(pos + 1, end)
      if (unusual || !keyValue(next, stop, 1)) return false
      count++
      pos = stop
    } else if (tag === 0x10) {
      varint(pos + 1, end)
      pos = next
    } else return false
    if (unusual) return false
  }
  attributes = max(attributes, count)
  return true
}

function instrumentationScope(pos: i32, end: i32): bool {
  let count = 0
  while (pos < end) {
    const tag = load<u8>(pos)
    if (tag === 0x20) {
      varint(pos + 1, end)
      if (unusual) return false
      pos = next
      continue
    }
    if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) return false
    const stop = length(pos + 1, end)
    if (unusual) return false
    if (tag === 0x1a) {
      if (!keyValue(next, stop, 1)) return false
      count++
    } else if (!isValue(next, stop)) return false
    pos = stop
  }
  attributes = max(attributes, count)
  return true
}

function record(scope: i32, field: i32, start: i32, end: i32): bool {
  if (records === MAX_RECORDS) return false
  const row = RECORDS + records * L_SIZE
  store<i32>(row, field - INPUT, 0)
  store<i32>(row, start - INPUT, 4)
  store<i32>(row, end - INPUT, 8)
  store<i32>(row, scope, 12)
  store<i32>(row, records, 16)
  memory.fill(row + 20, 0, L_SIZE - 20)
  records++
  longInt = false
  let bodies = 0
  let count = 0
  let pos = start
  while (pos < end) {
    const tag = load<u8>(pos)
    switch (tag) {
      case 0x09:
      case 0x59:
        store<i32>(row + (tag === 0x09 ? 48 : 52), pos + 1 - start)
        pos += 9
        break
      case 0x45:
        store<i32>(row, pos + 1 - start, 44)
        pos += 5
        break
      case 0x10:
        store<i32>(row, <i32>varint(pos + 1, end), 24)
        pos = next
        break
      case 0x38:
        varint(pos + 1, end)
        pos = next
        break
      case 0x4a:
      case 0x52: {
        const stop = length(pos + 1, end)
        if (unusual) return false
        const at = row + (tag === 0x4a ? 28 : 36)
        store<i32>(at, next - start, 0)
        store<i32>(at, stop - next, 4)
        pos = stop
        break
      }
      case 0x2a: {
        const stop = length(pos + 1, end)
        if (unusual || bodies++ > 0) return false
        const values = longestValue
        longestValue = 0
        if (!anyValue(next, stop, 1)) return false
        longestBody = max(longestBody, longestValue)
        longestValue = values
        pos = stop
        break
      }
      case 0x32: {
        const stop = length(pos + 1, end)
        if (unusual || !keyValue(next, stop, 1)) return false
        count++
        pos = stop
        break
      }
      case 0x1a:
      case 0x62: {
        const stop = length(pos + 1, end)
        if (unusual || !isValue(next, stop)) return false
        pos = stop
        break
      }
      default:
        return false
    }
    if (unusual || pos > end) return false
  }
  attributes = max(attributes, count)
  store<i32>(row, longInt ? CHECKED | LONG_INT : CHECKED, 20)
  return true
}

/** Whether the text of a value is UTF-8. */
function isValue(pos: i32, end: i32): bool {
  longestValue = max(longestValue, end - pos)
  return isUtf8(pos, end)
}

function keyValue(pos: i32, end: i32, depth: i32): bool {
  let seen: i32 = 0
  while (pos < end) {
    const tag: i32 = load<u8>(pos)
    if (tag !== 0x0a && tag !== 0x12) return false
    const stop = length(pos + 1, end)
    if (unusual) return false
    if (tag === 0x0a) {
      longestKey = max(longestKey, stop - next)
      if ((seen & 1) !== 0 || !isUtf8(next, stop)) return false
      seen |= 1
    } else {
      if ((seen & 2) !== 0 || !anyValue(next, stop, depth)) return false
      seen |= 2
    }
    pos = stop
  }
  return true
}

function anyValue(pos: i32, end: i32, depth: i32): bool {
  if (depth > MAX_DEPTH) return false
  if (pos === end) return true
  const tag = load<u8>(pos)
  switch (tag) {
    case 0x0a: {
      const stop = length(pos + 1, end)
      return !unusual && stop === end && isValue(next, stop)
    }
    case 0x3a:
      if (length(pos + 1, end) !== end) return false
      longestValue = max(longestValue, end - next)
      return true
    case 0x10:
    case 0x40:
      varint(pos + 1, end)
      return next === end
    case 0x18:
      if (isLongInt(varint(pos + 1, end))) longInt = true
      return next === end
    case 0x21:
      return pos + 9 === end
    case 0x2a:
    case 0x32: {
      const stop = length(pos + 1, end)
      if (unusual || stop !== end) return false
      let item = next
      while (item < end) {
        if (load<u8>(item) !== 0x0a) return false
        const itemEnd = length(item + 1, end)
        if (unusual) return false
        const value = next
        if (tag === 0x2a ? !anyValue(value, itemEnd, depth + 1) : !keyValue(value, itemEnd, depth + 1))
          return false
        item = itemEnd
      }
      return true
    }
    default:
      return false
  }
}

/** As in `check.ts`, rounding included: ten digits or more, and no time since 1970 in milli-, micro- or nanoseconds. */
function isLongInt(integer: u64): bool {
  const value = <f64>integer
  if (value < 1e10 || value >= 9223372036854775808.0) return false
  return !(
    (value >= 1e12 && value < 2e12) ||
    (value >= 1e15 && value < 2e15) ||
    (value >= 1e18 && value < 2e18)
  )
}
