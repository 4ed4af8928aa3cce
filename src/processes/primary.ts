import cluster, { type Address } from 'node:cluster'
import type { ServiceConfig } from '../config/config.ts'
import { formatIssue } from '../config/errors.ts'
import { authenticatorsOf } from '../service/authenticators.ts'
import { endpoints } from '../service/endpoints.ts'
import { Parts } from '../service/parts.ts'
import { aborted, logRejections, stopSignal } from '../service/signals.ts'
import { welcome } from '../service/welcome.ts'
import { Health } from '../telemetry/health.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { addProcessMetrics } from '../telemetry/process-metrics.ts'
import { WORKER_VARIABLE } from './messages.ts'
import { type PlannedProcess, planProcesses } from './plan.ts'
import { Supervisor } from './supervisor.ts'

const NAME = 'primary'

/**
 * Runs a config in the processes that `service.processes` asks for, until SIGTERM or SIGINT. This process serves metrics
 * and extensions for all of them, and handles no record. Resolves to the exit code: 0 after a clean stop, 1 when
 * something could not start or had to be killed.
 */
export async function runProcesses(
  config: ServiceConfig,
  { pipelines }: { readonly pipelines?: readonly string[] },
): Promise<number> {
  const log = createLogger({ ...config.telemetry.logs, process: NAME })
  for (const warning of config.warnings) log.warn({ at: formatIssue(warning) }, 'odd setting')
  const stopped = stopSignal(log, config.shutdownTimeoutMs)
  logRejections(log)

  const health = new Health()
  const metrics = new Metrics()
  addProcessMetrics(metrics, NAME)
  const { fork, clash } = forking()
  const plan = planProcesses(config, pipelines)
  const supervisor = new Supervisor({ plan, config, fork, log, metrics })
  const served = new Parts(log)
  const { authenticators, parts } = authenticatorsOf(config, { log, metrics, health })
  served.add(
    ...parts,
    ...endpoints(
      config,
      { log, metrics, health, authenticators },
      {
        status: () => supervisor.status(health.status()),
        metricsText: () => supervisor.metricsText(),
        readings: () => supervisor.readings(),
      },
    ),
  )

  let failed = false
  try {
    await served.start()
    await Promise.race([supervisor.start(), clash, aborted(stopped)])
    if (!stopped.aborted) {
      health.own = 'ok'
      log.info({ processes: plan.map(({ name }) => name) }, 'running')
      process.stdout.write(welcome(config))
      await aborted(stopped)
    }
  } catch (error) {
    log.error({ err: error }, 'could not start')
    failed = true
  }
  health.own = 'stopping'
  const inOrder = await supervisor.stop(config.shutdownTimeoutMs)
  await served.stop(AbortSignal.timeout(config.shutdownTimeoutMs))
  log.info('stopped')
  return inOrder && !failed ? 0 : 1
}

/** How a process is made; `clash` rejects when processes of two groups listen at the same address. */
function forking() {
  // All processes wait for connections at the shared socket, so one that is busy leaves them to the others.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ serialization: 'advanced' })
  const groups = new Map<number, string>()
  const owners = new Map<string, string>()
  const clash = Promise.withResolvers<never>()
  cluster.on('listening', ({ id }, { address, port }: Address) => {
    const group = groups.get(id)
    if (group === undefined) return
    const place = `${address}:${port}`
    const owner = owners.get(place) ?? group
    owners.set(place, owner)
    if (owner === group) return
    // They would share the connections by chance.
    clash.reject(new Error(`${owner} and ${group} both listen on ${place}: give one of them another port`))
  })
  const fork = ({ name, group }: PlannedProcess) => {
    const worker = cluster.fork({ [WORKER_VARIABLE]: name })
    groups.set(worker.id, group)
    worker.once('exit', () => groups.delete(worker.id))
    return worker.process
  }
  return { fork, clash: clash.promise }
}
