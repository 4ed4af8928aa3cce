import { describe, expect, it } from 'vitest'
import { MergedMetrics } from '../../src/processes/merged-metrics.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { addProcessMetrics } from '../../src/telemetry/process-metrics.ts'
import { readingsOf } from '../../src/telemetry/readings.ts'

/** A process with one metric of each kind, and those that every process has. */
function processWith(records: number): Metrics {
  const metrics = new Metrics()
  addProcessMetrics(metrics, 'gateway-1')
  const bound = metrics.bind({ exporter: 'file' })
  bound.counter('sluice_records_total', 'Records.').inc(records)
  bound.gauge('sluice_depth', 'Depth.', {}, () => records, 'max')
  bound.histogram('sluice_seconds', 'Seconds.', [1]).observe(2)
  return metrics
}

describe('readings', () => {
  it('are what the metrics tell of the work, not of the process', async () => {
    const metrics = processWith(3)

    expect(readingsOf(await metrics.snapshot('work'))).toEqual([
      { name: 'sluice_records_total', labels: { exporter: 'file' }, value: 3 },
      { name: 'sluice_depth', labels: { exporter: 'file' }, value: 3 },
      { name: 'sluice_seconds_bucket', labels: { exporter: 'file', le: '1' }, value: 0 },
      { name: 'sluice_seconds_bucket', labels: { exporter: 'file', le: '+Inf' }, value: 1 },
      { name: 'sluice_seconds_sum', labels: { exporter: 'file' }, value: 2 },
      { name: 'sluice_seconds_count', labels: { exporter: 'file' }, value: 1 },
    ])
  })

  it('of several processes are those of one service', async () => {
    const merged = new MergedMetrics()
    merged.update('gateway-1', await processWith(3).snapshot('all'))
    merged.update('gateway-2', await processWith(4).snapshot('work'))
    const own = new Metrics()
    own.bind({ process: 'gateway-1' }).gauge('sluice_process_up', 'Runs.').set(1)

    const readings = await merged.readings(await own.snapshot('work'))

    expect(readings).toContainEqual({ name: 'sluice_records_total', labels: { exporter: 'file' }, value: 7 })
    expect(readings).toContainEqual({ name: 'sluice_depth', labels: { exporter: 'file' }, value: 4 })
    expect(readings).toContainEqual({ name: 'sluice_process_up', labels: { process: 'gateway-1' }, value: 1 })
    expect(readings.filter(({ name }) => !name.startsWith('sluice_'))).toEqual([])
  })
})
