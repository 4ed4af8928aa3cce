import { hostname } from 'node:os'
import type { ForeignRecord, Logger } from '../logger/logger.ts'
import { isError } from '../record/error.ts'
import { type AllKeys, allKeys, type CorrelationKeys, takeTraceparent } from './shared/correlation.ts'
import { countBridge, isFirstTold } from './shared/doubles.ts'
import { emitRead } from './shared/emit.ts'
import { errorOfPlain } from './shared/plain-error.ts'
import { numberOfPinoLevel } from './shared/severities.ts'

const HOSTNAME = hostname()
const INFO = 30
const TRACE = 10

/** Options of a stream for bunyan. */
export interface BunyanStreamOptions {
  /** The lowest level that the stream gets, as bunyan names or numbers it. Default `trace`. */
  readonly level?: string | number
  readonly correlation?: CorrelationKeys
}

/** A stream as bunyan takes it among its `streams`. */
export interface BunyanStream {
  readonly type: 'raw'
  readonly level: never
  readonly stream: { write(record: object): void; end(): void }
}

/**
 * A raw stream for bunyan. The name of a bunyan logger is the attribute `logger.name`.
 *
 * @example
 * ```ts
 * bunyan.createLogger({ name: 'shop', streams: [bunyanStream(createLogger({ service: 'shop' }))] })
 * ```
 */
export function bunyanStream(log: Logger, options: BunyanStreamOptions = {}): BunyanStream {
  const keys = allKeys(options.correlation)
  countBridge()
  const stream = {
    write(record: object): void {
      if (!isFirstTold(() => textOf(record))) return
      const { level } = record as { level?: unknown }
      const severity = numberOfPinoLevel(typeof level === 'number' ? level : INFO)
      emitRead(log, severity, () => contentOf(record, keys))
    },
    end: () => void log.flush(),
  }
  return { type: 'raw', level: (options.level ?? TRACE) as never, stream }
}

function contentOf(record: object, keys: AllKeys): Omit<ForeignRecord, 'severity'> {
  const {
    v: _v,
    level: _level,
    msg,
    time,
    name,
    pid,
    hostname,
    src,
    err,
    ...rest
  } = record as Record<string, unknown>
  const error = isError(err) ? err : errorOfPlain(err)
  const fields = {
    ...rest,
    ...placeOf(src),
    'logger.name': name,
    pid: pid === process.pid ? undefined : pid,
    hostname: hostname === HOSTNAME ? undefined : hostname,
    err: error === undefined ? err : undefined,
  }
  return {
    body: msg === '' ? error?.message : msg,
    error,
    time: time instanceof Date ? time.getTime() : undefined,
    ...takeTraceparent(fields, keys),
  }
}

/** As a stream that is not raw writes it. */
function textOf(record: object): string | undefined {
  try {
    return JSON.stringify(record)
  } catch {
    return undefined
  }
}

/** Where a record was logged, of a logger with `src: true`. */
function placeOf(src: unknown): Record<string, unknown> | undefined {
  if (typeof src !== 'object' || src === null) return undefined
  const { file, line, func } = src as Record<string, unknown>
  return { 'code.file.path': file, 'code.line.number': line, 'code.function.name': func }
}
