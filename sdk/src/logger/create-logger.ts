import type { LoggerOptions } from '../options/options.ts'
import { resolveSettings } from '../options/resolve.ts'
import type { Settings } from '../options/settings.ts'
import type { Environment } from '../options/source.ts'
import { encodeResource, resourceAttributes } from '../resource/resource.ts'
import type { EventMap } from './events.ts'
import type { LogSink } from './log-sink.ts'
import type { Logger } from './logger.ts'
import { rootLogger } from './root-logger.ts'

/** What the way to the collector is made from. */
export interface SinkParts {
  readonly settings: Settings
  /** An encoded `opentelemetry.proto.resource.v1.Resource`. */
  readonly resource: Uint8Array
  /** To be called with what the application threw and nobody caught, before the process ends. */
  readonly onUncaught: (error: unknown, origin: string) => void
}

/** Of loggers that are disabled. */
const NO_SINK: LogSink = { accept: () => false, flush: async () => true, shutdown: async () => true }

/** A root logger over any sink. Never throws for a wrong option: it is told of, and the default is used. */
export function createLoggerOver<Events extends EventMap>(
  open: (parts: SinkParts) => LogSink,
  options: LoggerOptions<Events>,
  environment: Environment,
): Logger<Events> {
  const settings = settingsOf(options, environment)
  const root = rootLogger<Events>(settings, options?.events?.schemas ?? new Map(), openSink())
  const log = options?.base === undefined ? root : root.child(options.base)
  return log

  function openSink(): LogSink {
    if (settings.disabled) return NO_SINK
    const resource = encodeResource(resourceAttributes(settings.resource, environment))
    return open({ settings, resource, onUncaught: (error, origin) => log.fatal({ err: error }, origin) })
  }
}

function settingsOf(options: LoggerOptions, environment: Environment): Settings {
  try {
    return resolveSettings(options, environment)
  } catch {
    const settings = resolveSettings({}, environment)
    settings.logger.diagnostics.warn(
      'options',
      'the options could not be read: using the defaults for all of them',
    )
    return settings
  }
}
