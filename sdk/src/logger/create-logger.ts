import type { LoggerOptions } from '../options/options.ts'
import { resolveSettings } from '../options/resolve.ts'
import type { Settings } from '../options/settings.ts'
import type { Environment } from '../options/source.ts'
import { encodeResource, resourceAttributes } from '../resource/resource.ts'
import type { EventMap } from './events.ts'
import type { LogSink } from './log-sink.ts'
import type { Logger } from './logger.ts'
import { rootLogger } from './root-logger.ts'

/** Makes the way to the collector from the settings and an encoded `opentelemetry.proto.resource.v1.Resource`. */
export type OpenSink = (settings: Settings, resource: Uint8Array) => LogSink

/** A root logger over any sink. Never throws for a wrong option: it is told of, and the default is used. */
export function createLoggerOver<Events extends EventMap>(
  open: OpenSink,
  options: LoggerOptions<Events>,
  environment: Environment,
): Logger<Events> {
  const settings = settingsOf(options, environment)
  const resource = encodeResource(resourceAttributes(settings.resource, environment))
  const log = rootLogger<Events>(settings, options.events?.schemas ?? new Map(), open(settings, resource))
  return options.base === undefined ? log : log.child(options.base)
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
