const QUOTE: i8 = 0x22
const BACKSLASH: i8 = 0x5c
/** The letter after the backslash, of the characters below a space. */
const LETTERS = memory.data<u8>([
  0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x62, 0x74, 0x6e, 0x75, 0x66, 0x72, 0x75, 0x75, 0x75, 0x75,
  0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x75,
])

/** Writes UTF-8 at `[pos, end)` to `out` as a JSON string, and anything in up to 32 bytes after it. Gives its end. */
export function text(pos: i32, end: i32, out: i32): i32 {
  store<u8>(out++, QUOTE)
  while (pos < end) {
    while (pos + 32 <= end) {
      const left = v128.load(pos)
      const right = v128.load(pos, 16)
      v128.store(out, left)
      v128.store(out, right, 16)
      if (v128.any_true(v128.or(special(left), special(right)))) break
      pos += 32
      out += 32
    }
    const bytes = v128.load(pos)
    v128.store(out, bytes)
    const size = min(end - pos, 16)
    const marks = i8x16.bitmask(special(bytes)) & ((1 << size) - 1)
    const plain = marks === 0 ? size : ctz(marks)
    pos += plain
    out += plain
    if (marks !== 0) out = escape(load<u8>(pos++), out)
  }
  store<u8>(out, QUOTE)
  return out + 1
}

/** Marks the bytes that JSON wants escaped. */
function special(bytes: v128): v128 {
  // With this bit turned, the quote stands next to the control characters, and what it changes places with does not.
  const turned = v128.xor(bytes, i8x16.splat(QUOTE ^ 0x20))
  return v128.or(i8x16.le_u(turned, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(BACKSLASH)))
}

function escape(byte: i32, out: i32): i32 {
  store<u8>(out, BACKSLASH)
  const letter: i32 = byte < 0x20 ? load<u8>(LETTERS + byte) : byte
  store<u8>(out, letter, 1)
  if (letter !== 0x75) return out + 2
  store<u16>(out, 0x3030, 2)
  store<u8>(out, 0x30 + (byte >> 4), 4)
  const low = byte & 15
  store<u8>(out, low + (low < 10 ? 0x30 : 0x57), 5)
  return out + 6
}

/** Writes characters below 128 that need no escape, and anything in up to 16 bytes after them. */
export function ascii(characters: string, out: i32): i32 {
  const from = changetype<usize>(characters)
  const size = characters.length
  for (let i = 0; i < size; i += 16) {
    const wide = from + (i << 1)
    v128.store(out + i, i8x16.narrow_i16x8_u(v128.load(wide), v128.load(wide, 16)))
  }
  return out + size
}

/** Copies `size` bytes, and anything in up to 16 bytes after them. */
export function copy(from: i32, size: i32, out: i32): i32 {
  for (let i = 0; i < size; i += 16) v128.store(out + i, v128.load(from + i))
  return out + size
}
