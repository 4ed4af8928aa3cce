import { HITS, INPUT, MAX_HITS } from './memory'

const SHORTEST: i32 = 11

/**
 * Finds runs of at least `SHORTEST` digits in the `size` bytes of the input, single spaces or hyphens between digits
 * allowed. Of each run every `SHORTEST`th position goes to the hits. Gives their number, or -1 when there are too many.
 *
 * Marks 64 bytes at a time which can be part of a run, and looks closer where eleven marks stand in a row.
 */
export function digitRuns(size: i32): i32 {
  const end = INPUT + size
  let hits: i32 = 0
  /** Marks in a row right before the block. */
  let carried: i32 = 0
  let block = INPUT
  while (block < end) {
    const marks = marksOf(block, end)
    const leading = <i32>ctz(~marks)
    let start: i32
    if (carried + leading >= SHORTEST) {
      start = block - carried
    } else {
      let rows = marks & (marks >> 1)
      rows &= rows >> 2
      rows &= rows >> 4
      rows &= rows >> 3
      if (rows === 0) {
        carried = marks === ~0 ? carried + 64 : <i32>clz(~marks)
        block += 64
        continue
      }
      start = block + <i32>ctz(rows)
    }
    let stop = start
    let digits: i32 = 0
    for (; stop < end; stop++) {
      if (isDigit(load<u8>(stop))) digits++
      else if (!isSeparator(load<u8>(stop)) || stop + 1 === end || !isDigit(load<u8>(stop + 1))) break
    }
    if (digits >= SHORTEST) {
      for (let hit = start; hit < stop; hit += SHORTEST) {
        if (hits === MAX_HITS) return -1
        store<i32>(HITS + (hits++ << 2), hit - INPUT)
      }
    }
    carried = 0
    block = stop
  }
  return hits
}

/** Which of the 64 bytes at `block` are digits, or separators before one. */
function marksOf(block: i32, end: i32): u64 {
  let digits: u64 = 0
  let separators: u64 = 0
  for (let part: i32 = 0; part < 64; part += 16) {
    const bytes = v128.load(block + part)
    const isDigit = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10))
    const isSeparator = v128.or(i8x16.eq(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x2d)))
    digits |= (<u64>i8x16.bitmask(isDigit)) << part
    separators |= (<u64>i8x16.bitmask(isSeparator)) << part
  }
  const left = end - block
  if (left < 64) digits &= ((<u64>1) << left) - 1
  const beyond: u64 = left > 64 && isDigit(load<u8>(block + 64)) ? 1 : 0
  return digits | (separators & ((digits >> 1) | (beyond << 63)))
}

function isDigit(byte: i32): bool {
  return byte >= 0x30 && byte <= 0x39
}

function isSeparator(byte: i32): bool {
  return byte === 0x20 || byte === 0x2d
}
