const DIRECTIVE = /%(.?)/g
const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
const DAY_MS = 86_400_000

/** What strftime calls the parts of a date, in UTC. */
const PARTS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => pad(date.getUTCFullYear() % 100),
  m: (date) => pad(date.getUTCMonth() + 1),
  d: (date) => pad(date.getUTCDate()),
  H: (date) => pad(date.getUTCHours()),
  j: (date) => pad(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear())) / DAY_MS) + 1, 3),
  '%': () => '%',
}
export const DIRECTIVES = Object.keys(PARTS)
  .map((letter) => `%${letter}`)
  .join(' ')

/** Whether `formatDate` knows every directive. */
export function isDateFormat(format: string): boolean {
  return [...format.matchAll(DIRECTIVE)].every(([, letter]) => Object.hasOwn(PARTS, letter))
}

/** A time, in epoch milliseconds, as strftime writes it. */
export function formatDate(format: string, milliseconds: number): string {
  const date = new Date(milliseconds)
  return format.replaceAll(DIRECTIVE, (_, letter: string) => PARTS[letter](date))
}
