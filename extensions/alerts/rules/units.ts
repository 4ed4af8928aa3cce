/** `1m 30s`, `4.2s`: seconds as people say them. */
export function seconds(value: number): string {
  if (value < 60) return `${Number(value.toFixed(1))}s`
  const [hours, minutes, rest] = [
    Math.floor(value / 3600),
    Math.floor(value / 60) % 60,
    Math.floor(value) % 60,
  ]
  return [hours && `${hours}h`, minutes && `${minutes}m`, rest && `${rest}s`].filter(Boolean).join(' ')
}

/** `512.0 MiB`. */
export function mebibytes(value: number): string {
  return `${(value / 2 ** 20).toFixed(1)} MiB`
}

/** `1 record`, `20 records`. */
export function count(value: number, noun: string): string {
  const whole = Math.round(value)
  return `${whole} ${noun}${whole === 1 ? '' : 's'}`
}
