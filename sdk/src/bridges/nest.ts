import type { ForeignRecord, Logger } from '../logger/logger.ts'
import { isError } from '../record/error.ts'
import { emitRead } from './shared/emit.ts'
import { isPlainObject } from './shared/plain-object.ts'

/** Contexts are names of classes; more of them are data. */
const MAX_CONTEXTS = 1000
const STACK = /^.+\n\s+at .+:\d+:\d+/

/** Levels of NestJS, and their OTel severity numbers: `verbose` is the lowest, below `debug`. */
const SEVERITIES = { verbose: 1, debug: 5, log: 9, warn: 13, error: 17, fatal: 21 } as const

/** A level as NestJS names it. */
export type NestLevel = keyof typeof SEVERITIES

/**
 * A `LoggerService` for NestJS. The context, the last argument of a call, is the name of the logger, so that
 * `setLevel('OrdersService', 'debug')` works while the application runs.
 *
 * @example
 * ```ts
 * const app = await NestFactory.create(AppModule, { logger: new NestLogger(createLogger({ service: 'shop' })) })
 * ```
 */
export class NestLogger {
  readonly #log: Logger
  readonly #contexts = new Map<string, Logger>()
  #levels: ReadonlySet<string> | undefined

  constructor(log: Logger) {
    this.#log = log
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write('log', message, rest)
  }

  /** @param rest A stack, a context, or both in this order. */
  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest)
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest)
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest)
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('verbose', message, rest)
  }

  /** Has everything sent at once. */
  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest)
    void this.#log.flush()
  }

  /** Only these levels are logged, of those that the logger lets pass; the setting of NestJS is a list, no threshold. */
  setLogLevels(levels: readonly NestLevel[]): void {
    this.#levels = new Set(levels)
  }

  #write(level: NestLevel, message: unknown, rest: unknown[]): void {
    if (this.#levels?.has(level) === false) return
    const { context, stack, messages } = argumentsOf(level, rest)
    const log = context === undefined ? this.#log : this.#logOf(context)
    for (const each of [message, ...messages]) emitRead(log, SEVERITIES[level], () => said(each, stack))
  }

  #logOf(context: string): Logger {
    const known = this.#contexts.get(context)
    if (known !== undefined) return known
    if (this.#contexts.size === MAX_CONTEXTS) return this.#log.child({ 'logger.name': context })
    const log = this.#log.child({}, { name: context })
    this.#contexts.set(context, log)
    return log
  }
}

interface Arguments {
  readonly context: string | undefined
  readonly stack: string | undefined
  /** More messages of the same call. */
  readonly messages: readonly unknown[]
}

/** As the ConsoleLogger of NestJS takes them: a text at the end is the context, and for errors one before it the stack. */
function argumentsOf(level: NestLevel, rest: readonly unknown[]): Arguments {
  const last = rest.at(-1)
  if (level === 'error' && rest.length === 1 && typeof last === 'string' && STACK.test(last)) {
    return { context: undefined, stack: last, messages: [] }
  }
  const hasContext = typeof last === 'string'
  const before = hasContext ? rest.slice(0, -1) : rest
  const stack = before.at(-1)
  // `error(message, undefined, context)` has a place for a stack, and none in it.
  const hasStack = level === 'error' && hasContext && (typeof stack === 'string' || stack === undefined)
  return {
    context: hasContext ? last : undefined,
    stack: hasStack ? (stack as string | undefined) : undefined,
    messages: (hasStack ? before.slice(0, -1) : before).filter((message) => message !== undefined),
  }
}

function said(message: unknown, stack: string | undefined): Pick<ForeignRecord, 'body' | 'fields' | 'error'> {
  if (isError(message)) return { body: message.message, error: message }
  const fields = stack === undefined ? undefined : { 'exception.stacktrace': stack }
  return isPlainObject(message) ? { fields: { ...message, ...fields } } : { body: message, fields }
}
