import { hostname } from 'node:os'
import type { ForeignRecord } from '../../logger/logger.ts'
import { type AllKeys, allKeys, type CorrelationKeys, takeTraceparent } from '../shared/correlation.ts'
import { errorOfPlain } from '../shared/plain-error.ts'
import { numberOfLevel, numberOfPinoLevel, ownName } from '../shared/severities.ts'
import { nanosOfTime } from '../shared/time.ts'

const HOSTNAME = hostname()
const INFO = 9

/** How the lines of a pino logger are to be read, where it does not have pino's defaults. */
export interface PinoLineOptions {
  /** Default `msg`. */
  readonly messageKey?: string
  /** Default `err`. */
  readonly errorKey?: string
  /** Default `level`. */
  readonly levelKey?: string
  /** Default `time`. */
  readonly timeKey?: string
  /** As in the options of pino: names and numbers. */
  readonly customLevels?: Readonly<Record<string, number>>
  readonly correlation?: CorrelationKeys
}

/** Reads the lines that a pino logger writes. */
export class PinoLines {
  readonly #correlation: AllKeys
  readonly #names: Map<number, string>
  #keys: { levelKey: string; timeKey: string; messageKey: string; errorKey: string }

  constructor(options: PinoLineOptions = {}) {
    const { levelKey = 'level', timeKey = 'time', messageKey = 'msg', errorKey = 'err' } = options
    this.#keys = { levelKey, timeKey, messageKey, errorKey }
    this.#correlation = allKeys(options.correlation)
    this.#names = new Map(Object.entries(options.customLevels ?? {}).map(([name, number]) => [number, name]))
  }

  /** Takes what the logger tells of itself: the message `PINO_CONFIG` that it sends to a worker. */
  configure(config: PinoConfig): void {
    const { messageKey, errorKey, levels } = config
    if (typeof messageKey === 'string') this.#keys.messageKey = messageKey
    if (typeof errorKey === 'string') this.#keys.errorKey = errorKey
    for (const [number, name] of Object.entries(levels?.labels ?? {})) this.#names.set(Number(number), name)
  }

  /** A line that is no JSON object is a message. */
  read(line: string): ForeignRecord {
    const parsed = parse(line)
    if (parsed === undefined) return { severity: INFO, body: line }
    const { levelKey, timeKey, messageKey, errorKey } = this.#keys
    const { [levelKey]: level, [timeKey]: time, [messageKey]: message, [errorKey]: plain, ...rest } = parsed
    // What the resource tells already; another value is the application's own.
    if (rest.pid === process.pid) delete rest.pid
    if (rest.hostname === HOSTNAME) delete rest.hostname
    const error = errorOfPlain(plain)
    if (error === undefined && plain !== undefined) rest[errorKey] = plain
    return {
      ...this.#levelOf(level),
      ...takeTraceparent(rest, this.#correlation),
      body: message ?? error?.message,
      error,
      time: nanosOfTime(time),
    }
  }

  #levelOf(level: unknown): Pick<ForeignRecord, 'severity' | 'severityText'> {
    const name = typeof level === 'number' ? this.#names.get(level) : String(level)
    const known = name === undefined ? undefined : numberOfLevel(name)
    const number = typeof level === 'number' ? level : this.#numberNamed(name)
    const severity = known ?? (number === undefined ? INFO : numberOfPinoLevel(number))
    return { severity, severityText: level === undefined ? undefined : ownName(name) }
  }

  #numberNamed(name: string | undefined): number | undefined {
    for (const [number, other] of this.#names) if (other === name) return number
    return undefined
  }
}

/** What pino tells a worker of the logger that writes to it. */
export interface PinoConfig {
  readonly messageKey?: unknown
  readonly errorKey?: unknown
  readonly levels?: { readonly labels?: Readonly<Record<string, string>> }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
