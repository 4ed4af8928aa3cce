const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const GAP = '  '
/** A number or size, or what stands for none. */
const AMOUNT = /^(?:-|\?|\d+(?:\.\d+)?(?: [KMGT]?i?B)?)$/

/** Lines with their columns below each other; numbers are right-aligned. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => String(line[column]).length)))
  const isNumeric = head.map((_, column) => rows.every((row) => AMOUNT.test(String(row[column]))))
  const cell = (text: string | number, column: number): string =>
    isNumeric[column] ? String(text).padStart(widths[column]) : String(text).padEnd(widths[column])
  return lines.map((line) => `${line.map(cell).join(GAP).trimEnd()}\n`).join('')
}

/** `1.5 MiB` */
export function showBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${unit === 0 ? bytes : (bytes / 2 ** (10 * unit)).toFixed(1)} ${UNITS[unit]}`
}

/** The two largest units of a time: `3m 20s`. */
export function showDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ')
}

/** One line of at most `width` characters, without anything that a terminal would act on. */
export function oneLine(text: string, width: number): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
