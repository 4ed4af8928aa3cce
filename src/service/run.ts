import type { ServiceConfig } from '../config/config.ts'
import { formatIssue } from '../config/errors.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Service } from './service.ts'
import { welcome } from './welcome.ts'

/**
 * Runs a config until SIGTERM or SIGINT, and resolves to the exit code: 0 after a clean stop, 1 when
 * something could not start.
 */
export async function runService(
  config: ServiceConfig,
  options: { pipelines?: readonly string[] },
): Promise<number> {
  const log = createLogger(config.telemetry.logs)
  for (const warning of config.warnings) log.warn({ at: formatIssue(warning) }, 'odd setting')
  const stopped = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal, deadlineMs: config.shutdownTimeoutMs }, 'stopping')
    stopped.abort()
  }
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
  process.on('unhandledRejection', (error) =>
    log.error({ err: error }, 'a promise was rejected and nobody listened'),
  )
  const service = new Service(config, log, options.pipelines)
  try {
    await service.start()
  } catch (error) {
    log.error({ err: error }, 'could not start')
    return 1
  }
  log.info('running')
  process.stdout.write(welcome(config))
  if (!stopped.signal.aborted)
    await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve))
  await service.stop(AbortSignal.timeout(config.shutdownTimeoutMs))
  log.info('stopped')
  return 0
}
