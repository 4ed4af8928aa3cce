/** Writes any double as JSON at `out`, in TypeScript: JavaScript knows the shortest digits. Gives its end. */
declare function writeDouble(value: f64, out: i32): i32

/** Eight digits at a time are fast: they fit in 32 bits. */
const GROUP: u64 = 100_000_000

/** Writes an int64 in decimal. */
export function int(value: u64, out: i32): i32 {
  if (<i64>value >= 0) return digits(value, out)
  store<u8>(out, 0x2d)
  return digits(0 - value, out + 1)
}

/** Writes a number up to 2^63 in decimal. */
export function digits(value: u64, out: i32): i32 {
  if (value >= GROUP) {
    const rest = value / GROUP
    out = digits(rest, out)
    padded(<u32>(value - rest * GROUP), 8, out)
    return out + 8
  }
  const small = <u32>value
  let size: i32 = 1
  for (let power: u32 = 10; small >= power; power *= 10) size++
  padded(small, size, out)
  return out + size
}

/** Writes the last `size` decimal digits of `value`. */
export function padded(value: u32, size: i32, out: i32): void {
  for (let at = out + size - 1; at >= out; at--) {
    const rest = value / 10
    store<u8>(at, 0x30 + value - rest * 10)
    value = rest
  }
}

/** As `padded`, of a number that may have more than eight digits; gives its end. */
function paddedLong(value: u64, size: i32, out: i32): i32 {
  if (size > 8) {
    const rest = value / GROUP
    padded(<u32>rest, size - 8, out)
    value -= rest * GROUP
    out += size - 8
    size = 8
  }
  padded(<u32>value, size, out)
  return out + size
}

/** Decimals of up to 15 digits are doubles of their own: one that stands for a double is its shortest. */
const LIMIT: f64 = 1e15
/** JavaScript writes smaller ones with an exponent. */
const SMALLEST: f64 = 1e-6

/** Writes a double, those that are decimals of few digits here and the others in TypeScript. Gives its end. */
export function double(value: f64, out: i32): i32 {
  const size = abs(value)
  if (size < SMALLEST && size !== 0) return writeDouble(value, out)
  let scale: u64 = 10
  for (let places: i32 = 1; places < 16; places++) {
    const scaled = nearest(size * <f64>scale)
    if (!(scaled < LIMIT)) break
    // Both are exact, so their quotient is rounded as whoever reads the decimal rounds it.
    if (scaled / <f64>scale === size) {
      if (reinterpret<i64>(value) < 0) store<u8>(out++, 0x2d)
      const all = <u64>scaled
      const whole = all / scale
      out = digits(whole, out)
      store<u8>(out, 0x2e)
      return paddedLong(all - whole * scale, places, out + 1)
    }
    scale *= 10
  }
  return writeDouble(value, out)
}
