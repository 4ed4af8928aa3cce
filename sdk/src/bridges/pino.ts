import { Writable } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger } from '../create-logger.ts'
import type { Logger } from '../logger/logger.ts'
import type { LoggerOptions } from '../options/options.ts'
import { type PinoConfig, type PinoLineOptions, PinoLines } from './pino/line.ts'
import { LineSplitter } from './pino/split.ts'
import { allKeys, type CorrelationKeys, traceFields } from './shared/correlation.ts'
import { countBridge, isFirstTold } from './shared/doubles.ts'

/** Pino gives a worker up that has not ended after 10 s. */
const CLOSE_TIMEOUT = 8_000
const CONFIG_TIMEOUT = 1_000
const FATAL = 21

export type { CorrelationKeys, PinoLineOptions }

/** Options of the worker: those of `createLogger` that are data, no functions. */
export interface PinoTransportOptions extends LoggerOptions, PinoLineOptions {
  /** How long the end of the process waits for what is on its way, in milliseconds. Default 8,000; pino waits 10,000. */
  readonly closeTimeoutMillis?: number
}

/** What pino writes its lines to. */
export interface PinoDestination {
  /** So that pino takes it for a destination also where it is the only argument. */
  readonly writable: true
  write(line: string): void
  flush(done?: (error?: Error) => void): Promise<void>
}

/**
 * A transport for pino, which runs it in a worker. Its logger has the level `trace` unless told otherwise: pino has
 * chosen already. The worker does not know the context of a call: see `traceMixin`.
 *
 * @example
 * ```ts
 * pino({
 *   mixin: traceMixin(),
 *   transport: { target: '@sluice/logs/pino', options: { service: 'shop', endpoint: 'http://sluice:4318' } },
 * })
 * ```
 */
export default async function pinoTransport(options: PinoTransportOptions = {}): Promise<Writable> {
  const { closeTimeoutMillis = CLOSE_TIMEOUT, ...others } = options
  const log = createLogger({ level: 'trace', ...others })
  const lines = new PinoLines(options)
  lines.configure(await pinoConfig())
  const splitter = new LineSplitter((line) => logLine(log, lines, line))
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done) {
      splitter.write(String(chunk))
      done()
    },
    final(done) {
      splitter.end()
      void log.shutdown(closeTimeoutMillis).finally(done)
    },
  })
  return Object.assign(stream, { flush: () => log.flush(closeTimeoutMillis) })
}

/**
 * A destination for pino in the same thread, which knows the context of each call.
 *
 * @example
 * ```ts
 * const log = pino({ level: 'debug' }, pinoDestination(createLogger({ service: 'shop', level: 'debug' })))
 * ```
 */
export function pinoDestination(log: Logger, options: PinoLineOptions = {}): PinoDestination {
  const lines = new PinoLines(options)
  countBridge()
  return {
    writable: true,
    write(line) {
      if (isFirstTold(() => line)) logLine(log, lines, line.trimEnd())
    },
    async flush(done) {
      const sent = await log.flush()
      done?.(sent ? undefined : new Error('not all logs were sent in time'))
    },
  }
}

/**
 * A `mixin` for pino that gives each line the trace that it belongs to, so that a worker knows it.
 *
 * @example
 * ```ts
 * pino({ mixin: traceMixin() })
 * ```
 */
export function traceMixin(correlation?: CorrelationKeys): () => Record<string, string> {
  const keys = allKeys(correlation)
  return () => traceFields(keys)
}

/** As with a logger of this package, what is fatal is sent at once. */
function logLine(log: Logger, lines: PinoLines, line: string): void {
  const record = lines.read(line)
  log.emit(record)
  if (typeof record.severity === 'number' && record.severity >= FATAL) void log.flush()
}

/** What pino tells its worker of the logger, before it sends the first line. */
async function pinoConfig(): Promise<PinoConfig> {
  const port = parentPort
  const { pinoWillSendConfig } =
    (workerData as { workerData?: { pinoWillSendConfig?: unknown } } | null)?.workerData ?? {}
  if (port === null || pinoWillSendConfig !== true) return {}
  return new Promise((resolve) => {
    const listen = (message: { code?: unknown; config?: PinoConfig } | null): void => {
      if (message?.code === 'PINO_CONFIG') end(message.config)
    }
    const end = (config: PinoConfig = {}): void => {
      clearTimeout(timer)
      port.off('message', listen)
      resolve(config)
    }
    // Another target of the same worker may have listened first, and the message be gone.
    const timer = setTimeout(end, CONFIG_TIMEOUT)
    port.on('message', listen)
  })
}
