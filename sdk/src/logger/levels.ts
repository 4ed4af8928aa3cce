import { type Severity, severityOf } from '../record/severity.ts'

/** The levels that a record can have, as pino names them. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** A level, or `silent`: none at all. */
export type Threshold = Level | 'silent'

/** OTel severity numbers and short names: the smallest of each range of the data model, section "SeverityNumber". */
export const SEVERITIES: Readonly<Record<Level, Severity>> = {
  trace: severityOf(1, 'TRACE'),
  debug: severityOf(5, 'DEBUG'),
  info: severityOf(9, 'INFO'),
  warn: severityOf(13, 'WARN'),
  error: severityOf(17, 'ERROR'),
  fatal: severityOf(21, 'FATAL'),
}

const SILENT = Number.POSITIVE_INFINITY
const NUMBERS: ReadonlyMap<unknown, number> = new Map(
  Object.entries(SEVERITIES).map(([level, { number }]) => [level, number]),
)

/** The OTel severity number of a level; undefined for what is none. */
export function levelNumber(level: unknown): number | undefined {
  return NUMBERS.get(level)
}

/** The lowest severity number that passes; undefined for what is no level. */
export function thresholdOf(level: unknown): number | undefined {
  return level === 'silent' ? SILENT : NUMBERS.get(level)
}

/** The name of a threshold that `thresholdOf` has given. */
export function levelOf(threshold: number): Threshold {
  const named = Object.entries(SEVERITIES).find(([, { number }]) => number === threshold)
  return (named?.[0] as Level | undefined) ?? 'silent'
}

const TEXT_OF = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const foreign = new Map<string, Severity>()
const MAX_FOREIGN = 256

/**
 * The severity of a level, or of an OTel severity number (1 to 24) with the text of the library that it comes from, or
 * with its short name (`INFO2`). Undefined for what is neither.
 */
export function severityNamed(severity: unknown, text?: string): Severity | undefined {
  const number = typeof severity === 'number' ? severity : levelNumber(severity)
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > 24) return undefined
  const shown = text ?? shortName(number)
  const key = `${number} ${shown}`
  let known = foreign.get(key)
  if (known === undefined) {
    known = severityOf(number, shown)
    if (foreign.size < MAX_FOREIGN) foreign.set(key, known)
  }
  return known
}

/** Data model, section "Displaying Severity". */
function shortName(number: number): string {
  const range = Math.floor((number - 1) / 4)
  const within = (number - 1) % 4
  return TEXT_OF[range] + (within === 0 ? '' : String(within + 1))
}
