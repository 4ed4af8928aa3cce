import { type DestinationStream, type Logger, pino } from 'pino'

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** One JSON object a line, or lines for the eye. */
  readonly encoding?: 'json' | 'console'
  /** Which of several processes writes: the field `process` of every line. */
  readonly process?: string | undefined
  /** Takes the finished lines; stderr unless given. */
  readonly destination?: DestinationStream
}

/** The collector's own log. */
export function createLogger({ level, encoding = 'json', process, destination }: LoggerOptions): Logger {
  const lines = destination ?? pino.destination({ dest: 2, sync: true })
  return pino(
    {
      level,
      base: process === undefined ? null : { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error) => describeError(error) },
    },
    encoding === 'console' ? { write: (line) => lines.write(forTheEye(line)) } : lines,
  )
}

/** Warns with a pause: per key the first line at once, then at most one an interval, with the number left out. */
export interface RateLimitedLog {
  /** `key` is one of a few fixed words. */
  warn(key: string, fields: object, message: string): void
}

/** Keeps a trouble that repeats with every batch from flooding the log. */
export function rateLimited(log: Logger, intervalMs: number): RateLimitedLog {
  const keys = new Map<string, { quietUntil: number; suppressed: number }>()
  return {
    warn(key, fields, message) {
      const now = performance.now()
      const last = keys.get(key)
      if (last && now < last.quietUntil) {
        last.suppressed++
        return
      }
      keys.set(key, { quietUntil: now + intervalMs, suppressed: 0 })
      log.warn(last?.suppressed ? { ...fields, suppressed: last.suppressed } : fields, message)
    },
  }
}

/** Only what an error says of itself: clients attach whole requests and answers, with records and keys in them. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = 'code' in error ? error.code : undefined
  const cause = error.cause === undefined || depth === 4 ? undefined : describeError(error.cause, depth + 1)
  return { type: error.name, message: error.message, code, stack: error.stack, cause }
}

function forTheEye(line: string): string {
  const { time, level, msg = '', ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${plain(value)}`)
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${oneLine(String(msg))}${rest.join('')}\n`
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value) ? value : JSON.stringify(value)
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ')
}
