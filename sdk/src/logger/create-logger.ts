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

/** A root logger over any sink. Never throws for a wrong option: it is told of, and the default is used. */
export function createLoggerOver<Events extends EventMap>(
  open: (parts: SinkParts) => LogSink,
  options: LoggerOptions<Events>,
  environment: Environment,
): Logger<Events> {
  const settings = settingsOf(options, environment)
  const resource = encodeResource(resourceAttributes(settings.resource, environment))
  const root = rootLogger<Events>(
    settings,
    options?.events?.schemas ?? new Map(),
    open({ settings, resource, onUncaught: (error, origin) => log.fatal(error, '%s', origin) }),
  )
  const log = options?.base === undefined ? root : root.child(options.base)
  return log
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
