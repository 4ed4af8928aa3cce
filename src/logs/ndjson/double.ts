/**
 * Writes a double at `pos`, always with a point or an exponent so that a mapping never takes it for a whole number;
 * NaN and the infinities, which JSON lacks, as null. Gives its end.
 */
export function writeDouble(bytes: Uint8Array, pos: number, value: number): number {
  const text = textOf(value)
  for (let i = 0; i < text.length; i++) bytes[pos + i] = text.charCodeAt(i)
  return pos + text.length
}

function textOf(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text
}
