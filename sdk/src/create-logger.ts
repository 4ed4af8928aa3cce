import { createLoggerOver } from './logger/create-logger.ts'
import type { EventMap } from './logger/events.ts'
import type { Logger } from './logger/logger.ts'
import type { LoggerOptions } from './options/options.ts'
import { createPipe } from './pipe/pipe.ts'

/**
 * Creates a logger with a way of its own to the collector. Never throws.
 *
 * @example
 * ```ts
 * const log = createLogger({ service: 'shop' })
 * log.info({ orderId: '7' }, 'order placed')
 * ```
 */
export function createLogger<Events extends EventMap = EventMap>(
  options: LoggerOptions<Events> = {},
): Logger<Events> {
  return createLoggerOver<Events>(
    ({ settings, resource, onUncaught }) => createPipe({ ...settings.pipe, resource, onUncaught }),
    options,
    process.env,
  )
}
