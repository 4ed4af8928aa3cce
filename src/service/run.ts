import type { ServiceConfig } from '../config/config.ts'
import { formatIssue } from '../config/errors.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Service } from './service.ts'
import { aborted, logRejections, stopSignal } from './signals.ts'
import { welcome } from './welcome.ts'

/**
 * Runs a config in this process until SIGTERM or SIGINT, and resolves to the exit code: 0 after a clean stop, 1 when
 * something could not start.
 */
export async function runService(
  config: ServiceConfig,
  options: { readonly pipelines?: readonly string[] },
): Promise<number> {
  const log = createLogger(config.telemetry.logs)
  for (const warning of config.warnings) log.warn({ at: formatIssue(warning) }, 'odd setting')
  const stopped = stopSignal(log, config.shutdownTimeoutMs)
  logRejections(log)
  const service = new Service(config, log, options)
  try {
    await service.start()
  } catch (error) {
    log.error({ err: error }, 'could not start')
    return 1
  }
  log.info('running')
  process.stdout.write(welcome(config))
  await aborted(stopped)
  await service.stop(AbortSignal.timeout(config.shutdownTimeoutMs))
  log.info('stopped')
  return 0
}
