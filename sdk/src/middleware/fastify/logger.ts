import type { FastifyBaseLogger } from 'fastify'
import type { Level, Threshold } from '../../logger/levels.ts'
import type { ChildOptions, Logger } from '../../logger/logger.ts'
import { isError } from '../../record/error.ts'
import { THROWS } from '../../record/markers.ts'
import { read } from '../../record/read.ts'

type Serializers = Readonly<Record<string, (value: never) => unknown>>

/** What Fastify gives along with the bindings of a child, as to pino. */
interface FastifyChildOptions extends ChildOptions {
  readonly serializers?: Serializers
}

/**
 * A logger as Fastify takes it for `loggerInstance`, with the serializers that it brings along.
 *
 * @example
 * ```ts
 * const app = fastify({ loggerInstance: fastifyLogger(createLogger({ service: 'shop' })) })
 * ```
 */
export function fastifyLogger(log: Logger): FastifyBaseLogger {
  return adapted(log, {})
}

function adapted(log: Logger, serializers: Serializers): FastifyBaseLogger {
  const method =
    (level: Level) =>
    (first: unknown, ...rest: [string?, ...unknown[]]): void => {
      if (log.enabled(level)) log[level](serialized(first, serializers), ...rest)
    }
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    silent: () => {},
    get level() {
      return log.level
    },
    set level(level: string) {
      log.level = level as Threshold
    },
    child(bindings: object, options: FastifyChildOptions = {}) {
      const own = { ...serializers, ...options.serializers }
      return adapted(log.child(serialized(bindings, own) as object, options), own)
    },
  } as FastifyBaseLogger
}

/** The fields with those replaced that have a serializer. An error stays one: it becomes `exception.*`. */
function serialized(first: unknown, serializers: Serializers): unknown {
  if (typeof first !== 'object' || first === null || isError(first)) return first
  const replaced: [string, unknown][] = []
  for (const key of Object.keys(serializers)) {
    const value = read(first, key)
    if (value !== undefined && !isError(value)) replaced.push([key, attempted(serializers[key], value)])
  }
  return replaced.length === 0 ? first : { ...first, ...Object.fromEntries(replaced) }
}

function attempted(serializer: (value: never) => unknown, value: unknown): unknown {
  try {
    return serializer(value as never)
  } catch {
    return THROWS
  }
}
