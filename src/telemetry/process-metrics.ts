import { getHeapStatistics } from 'node:v8'
import { collectDefaultMetrics } from 'prom-client'
import type { Metrics } from './metrics.ts'

/**
 * The Collector's metrics about its own process, and Node's about its event loop and garbage collection. One of several
 * processes is told from the others by the label `process`.
 */
export function addProcessMetrics(metrics: Metrics, name?: string): void {
  const labels = name === undefined ? {} : { process: name }
  collectDefaultMetrics({ register: metrics.registry, labels })
  const { gauge } = metrics.bind(labels)
  gauge('otelcol_process_uptime', 'Seconds since the process started.', {}, () => process.uptime())
  gauge('otelcol_process_cpu_seconds', 'CPU time of the process, user and system.', {}, () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('otelcol_process_memory_rss', 'Resident memory, bytes.', {}, () => process.memoryUsage.rss())
  gauge(
    'otelcol_process_runtime_heap_alloc_bytes',
    'Bytes on the JavaScript heap.',
    {},
    () => getHeapStatistics().used_heap_size,
  )
}
