import { giveUp } from './memory'

/** Where the value of the varint that was read last ends. */
export let next: i32 = 0

/** The length at `pos` of a field in a message that ends at `end`; `next` is then its first byte. Gives the field's end. */
export function length(pos: i32, end: i32): i32 {
  let size: i32 = 0
  let shift: i32 = 0
  for (;;) {
    if (pos >= end) return giveUp()
    const byte: i32 = load<u8>(pos++)
    size |= (byte & 0x7f) << shift
    if (byte < 0x80) break
    shift += 7
    // Four bytes of length are 256 MiB, more than fits in here.
    if (shift > 21) return giveUp()
  }
  next = pos
  return <u32>size > <u32>(end - pos) ? giveUp() : pos + size
}

/** The varint at `pos`, whole; `next` is then the byte after it. */
export function varint(pos: i32, end: i32): u64 {
  let value: u64 = 0
  for (let shift: i32 = 0; shift <= 63; shift += 7) {
    if (pos >= end) break
    const byte: i32 = load<u8>(pos++)
    // The tenth byte has room for one bit; what else it holds, readers see differently.
    if (shift === 63 && byte > 1) break
    value |= (<u64>(byte & 0x7f)) << shift
    if (byte < 0x80) {
      next = pos
      return value
    }
  }
  next = giveUp()
  return 0
}
