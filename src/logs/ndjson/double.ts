import { writeDigits, writeWhole } from './digits.ts'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
/** In thousandths this still fits into 32 bits. */
const MOST = 1_000_000

/**
 * Writes a double at `pos`, always with a point or an exponent so that a mapping never takes it for a whole number;
 * NaN and the infinities, which JSON lacks, as null. Gives its end.
 */
export function writeDouble(bytes: Uint8Array, pos: number, value: number): number {
  const thousandths = Math.round(Math.abs(value) * 1000)
  // Most doubles of logs are durations: three digits after the point and no more, which needs no string. Where the
  // quotient is the very same double, no shorter text stands for it.
  if (thousandths < MOST * 1000 && thousandths > 0 && thousandths / 1000 === Math.abs(value)) {
    return writeThousandths(bytes, pos, value < 0, thousandths)
  }
  const text = textOf(value)
  for (let i = 0; i < text.length; i++) bytes[pos + i] = text.charCodeAt(i)
  return pos + text.length
}

function writeThousandths(bytes: Uint8Array, start: number, negative: boolean, value: number): number {
  let pos = start
  if (negative) bytes[pos++] = MINUS
  const whole = (value / 1000) | 0
  pos = writeWhole(bytes, pos, whole)
  bytes[pos++] = POINT
  writeDigits(bytes, pos, 3, value - whole * 1000)
  let end = pos + 3
  while (end > pos + 1 && bytes[end - 1] === ZERO) end--
  return end
}

function textOf(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text
}
