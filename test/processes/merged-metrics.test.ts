import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergedMetrics } from '../../src/processes/merged-metrics.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { addProcessMetrics } from '../../src/telemetry/process-metrics.ts'

/** The metrics of one process, as far as the tests are about them. */
function processWith(values: { records?: number; seconds?: number[]; depth?: number; connected?: number }) {
  const metrics = new Metrics()
  const bound = metrics.bind({ receiver: 'otlp' })
  bound.counter('records_total', 'Records.').inc(values.records ?? 0)
  const histogram = bound.histogram('seconds', 'Seconds.', [1, 10])
  for (const value of values.seconds ?? []) histogram.observe(value)
  bound.gauge('pending', 'Pending.').set(values.depth ?? 0)
  bound.gauge('depth', 'Depth.', {}, undefined, 'max').set(values.depth ?? 0)
  bound.gauge('connected', 'Connected.', {}, undefined, 'min').set(values.connected ?? 1)
  return metrics
}

const nothing = new Metrics()

async function lines(merged: MergedMetrics, own: Metrics = nothing): Promise<string[]> {
  const text = await merged.text(await own.snapshot('all'))
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

describe('the metrics of several processes', () => {
  it('are counters and histograms that add up, and gauges merged as they were defined', async () => {
    const merged = new MergedMetrics()
    const first = processWith({ records: 3, seconds: [0.5, 20], depth: 7, connected: 0 })
    const second = processWith({ records: 4, seconds: [5], depth: 5 })

    merged.update('one', await first.snapshot('all'))
    merged.update('two', await second.snapshot('all'))

    expect(await lines(merged)).toEqual([
      'records_total{receiver="otlp"} 7',
      'seconds_bucket{le="1",receiver="otlp"} 1',
      'seconds_bucket{le="10",receiver="otlp"} 2',
      'seconds_bucket{le="+Inf",receiver="otlp"} 3',
      'seconds_sum{receiver="otlp"} 25.5',
      'seconds_count{receiver="otlp"} 3',
      'pending{receiver="otlp"} 12',
      'depth{receiver="otlp"} 7',
      'connected{receiver="otlp"} 0',
    ])
  })

  it('keep the counts of a process that has ended, and not its gauges', async () => {
    const merged = new MergedMetrics()
    merged.update('one', await processWith({ records: 3, seconds: [0.5], depth: 7 }).snapshot('all'))

    merged.end('one')
    expect(await lines(merged)).toEqual([
      'records_total{receiver="otlp"} 3',
      'seconds_bucket{le="1",receiver="otlp"} 1',
      'seconds_bucket{le="10",receiver="otlp"} 1',
      'seconds_bucket{le="+Inf",receiver="otlp"} 1',
      'seconds_sum{receiver="otlp"} 0.5',
      'seconds_count{receiver="otlp"} 1',
    ])

    merged.update('one', await processWith({ records: 2, seconds: [2], depth: 1 }).snapshot('all'))
    expect(await lines(merged)).toEqual(
      expect.arrayContaining([
        'records_total{receiver="otlp"} 5',
        'seconds_count{receiver="otlp"} 2',
        'depth{receiver="otlp"} 1',
      ]),
    )
  })

  it('keep the gauges while only counts are told', async () => {
    const merged = new MergedMetrics()
    const metrics = processWith({ records: 3, depth: 7 })
    merged.update('one', await metrics.snapshot('all'))

    metrics.bind({ receiver: 'otlp' }).counter('records_total', 'Records.').inc(2)
    merged.update('one', await metrics.snapshot('counts'))

    expect(await lines(merged)).toEqual(
      expect.arrayContaining(['records_total{receiver="otlp"} 5', 'depth{receiver="otlp"} 7']),
    )
  })

  it('tell each process by its label, the supervising one too', async () => {
    const merged = new MergedMetrics()
    const [primary, worker] = [new Metrics(), new Metrics()]
    addProcessMetrics(primary, 'primary')
    addProcessMetrics(worker, 'gateway-1')
    merged.update('gateway-1', await worker.snapshot('all'))

    const text = await lines(merged, primary)

    for (const name of ['otelcol_process_cpu_seconds', 'process_start_time_seconds']) {
      expect(text.filter((line) => line.startsWith(name)).map((line) => line.replace(/ .*/, ''))).toEqual([
        `${name}{process="primary"}`,
        `${name}{process="gateway-1"}`,
      ])
    }
  })

  it('never count backwards, whatever processes come and go', async () => {
    const event = fc.record({
      process: fc.constantFrom('a', 'b', 'c'),
      does: fc.constantFrom('counts', 'tells', 'ends'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const merged = new MergedMetrics()
        const living = new Map<string, Metrics>()
        let shown = 0
        for (const { process, does } of events) {
          const metrics = living.get(process) ?? processWith({})
          living.set(process, metrics)
          if (does === 'counts') metrics.bind({ receiver: 'otlp' }).counter('records_total', '').inc()
          if (does === 'tells') merged.update(process, await metrics.snapshot('counts'))
          if (does === 'ends') {
            merged.end(process)
            living.delete(process)
          }
          const line = (await lines(merged)).find((text) => text.startsWith('records_total')) ?? ' 0'
          const value = Number(line.split(' ')[1])
          expect(value).toBeGreaterThanOrEqual(shown)
          shown = value
        }
      }),
      { numRuns: 50 },
    )
  })
})
