/** Whether `[pos, end)` is UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. */
export function isUtf8(pos: i32, end: i32): bool {
  const high = i8x16.splat(-128)
  while (pos < end) {
    while (pos + 16 <= end && !v128.any_true(v128.and(v128.load(pos), high))) pos += 16
    if (pos === end) return true
    const first: i32 = load<u8>(pos)
    if (first < 0x80) {
      pos++
      continue
    }
    const size: i32 = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    if (first < 0xc2 || first > 0xf4 || pos + size > end) return false
    const second: i32 = load<u8>(pos + 1)
    let low: i32 = 0x80
    let last: i32 = 0xbf
    if (first === 0xe0) low = 0xa0
    else if (first === 0xed) last = 0x9f
    else if (first === 0xf0) low = 0x90
    else if (first === 0xf4) last = 0x8f
    if (second < low || second > last) return false
    if (size > 2 && (load<u8>(pos + 2) & 0xc0) !== 0x80) return false
    if (size > 3 && (load<u8>(pos + 3) & 0xc0) !== 0x80) return false
    pos += size
  }
  return true
}
