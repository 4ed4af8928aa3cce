/**
 * OTel severity numbers of the levels that libraries name: those of syslog as the log data model maps them (appendix B),
 * those of npm below `info` in their order.
 */
const SEVERITY_NUMBERS: Readonly<Record<string, number>> = {
  silly: 1,
  trace: 1,
  debug: 5,
  verbose: 6,
  http: 7,
  info: 9,
  log: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  error: 17,
  err: 17,
  crit: 18,
  critical: 18,
  alert: 19,
  fatal: 21,
  emerg: 21,
  emergency: 21,
}

/** Levels that have the same name here: their records read as those of this package's own loggers. */
const OWN = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

/** The severity number of a level by its name, in any case; undefined for one that no library here has. */
export function numberOfLevel(name: string): number | undefined {
  const key = name.toLowerCase()
  return Object.hasOwn(SEVERITY_NUMBERS, key) ? SEVERITY_NUMBERS[key] : undefined
}

/** The name of a level for the record, where it is another than here. */
export function ownName(name: string | undefined): string | undefined {
  return name === undefined || OWN.has(name.toLowerCase()) ? undefined : name
}

/**
 * The severity number of a level of pino or bunyan, whose numbers go from 10 (`trace`) to 60 (`fatal`): what is in
 * between is in between.
 */
export function numberOfPinoLevel(level: number): number {
  const severity = (Math.floor(level / 10) - 1) * 4 + 1 + Math.floor((level % 10) * 0.4)
  return Number.isFinite(severity) ? Math.min(24, Math.max(1, severity)) : 9
}
