const ZERO = 0x30

/** Writes a whole number of up to 31 bits at `pos`, padded with zeros to so many digits; it has no more. */
export function writeDigits(bytes: Uint8Array, pos: number, digits: number, value: number): void {
  let rest = value
  for (let at = pos + digits - 1; at >= pos; at--) {
    const next = (rest / 10) | 0
    bytes[at] = ZERO + rest - next * 10
    rest = next
  }
}

/** Writes a whole number of up to 31 bits at `pos`, and gives its end. */
export function writeWhole(bytes: Uint8Array, pos: number, value: number): number {
  let digits = 1
  for (let power = 10; value >= power; power *= 10) digits++
  writeDigits(bytes, pos, digits, value)
  return pos + digits
}
