import { loadConfig } from '../config/config.ts'
import type { ComponentDefinition } from '../define.ts'
import { Service } from '../service/service.ts'
import { logRejections } from '../service/signals.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { Which } from '../telemetry/metrics.ts'
import type { Report } from './messages.ts'
import { Superior } from './superior.ts'

/**
 * Runs the pipelines that the supervising process orders, until that orders to stop, or is gone. Resolves to the exit
 * code: 0 after a clean stop, 1 when something could not start.
 */
export async function runWorker(components: readonly ComponentDefinition[]): Promise<number> {
  // Ctrl-C and service managers signal every process; the supervising one decides who stops when.
  process.on('SIGTERM', () => {}).on('SIGINT', () => {})
  const superior = new Superior()
  const orders = await Promise.race([superior.orders, superior.gone])
  if (orders === undefined) return 1
  const { file, text, name, pipelines } = orders
  const config = loadConfig(file, text, components)
  const log = createLogger({ ...config.telemetry.logs, process: name })
  logRejections(log)
  const service = new Service(config, log, { pipelines, process: name })
  const report = async (metrics: Which): Promise<Report> => ({
    type: 'report',
    status: service.health.status(),
    metrics: await service.metrics.snapshot(metrics).catch((error: unknown) => {
      log.error({ err: error }, 'metrics could not be read')
      return []
    }),
  })
  superior.answer(async ({ id, metrics }) => ({ ...(await report(metrics)), id }))
  try {
    // Listening is a question to the supervising process: once that is gone, no answer comes.
    await Promise.race([service.start(), superior.gone])
    if (superior.isGone) return 1
  } catch (error) {
    log.error({ err: error }, 'could not start')
    await superior.tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    return 1
  }
  await superior.tell(await report('counts'))
  await superior.tell({ type: 'ready' })
  const timeoutMs = await Promise.race([superior.stop, superior.gone])
  if (timeoutMs === undefined) log.warn('the supervising process is gone: stopping')
  await service.stop(AbortSignal.timeout(timeoutMs ?? config.shutdownTimeoutMs))
  // What was counted in the last moments, too.
  await superior.tell(await report('counts'))
  return 0
}
