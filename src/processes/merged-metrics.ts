import { AggregatorRegistry } from 'prom-client'
import type { Reading } from '../define.ts'
import { isAboutWork, type Snapshot } from '../telemetry/metrics.ts'
import { readingsOf } from '../telemetry/readings.ts'

type Metric = Snapshot[number]

/** The types of metrics that outlive their process. */
const LASTING = new Set(['counter', 'histogram'])

/**
 * The metrics of several processes as those of one service. Counters and histograms add up, and what a process that
 * ended had counted stays in: they never go back. Gauges are merged as they were defined, and go with their process.
 */
export class MergedMetrics {
  readonly #living = new Map<string, Map<string, Metric>>()
  #ended: Snapshot = []

  /** Takes in what a process shows now; what the snapshot leaves out stays as it was. */
  update(process: string, snapshot: Snapshot): void {
    const metrics = this.#living.get(process) ?? new Map<string, Metric>()
    for (const metric of snapshot) metrics.set(metric.name, metric)
    this.#living.set(process, metrics)
  }

  /** Forgets the gauges of a process that has ended, and keeps its counts. */
  end(process: string): void {
    const last = [...(this.#living.get(process)?.values() ?? [])]
    this.#living.delete(process)
    const counts = last.filter(({ type }) => LASTING.has(String(type)))
    this.#ended = merge([this.#ended, counts]).getMetricsAsArray() as unknown as Snapshot
  }

  /** Everything in the text format of Prometheus, with what the supervising process counts itself. */
  async text(own: Snapshot): Promise<string> {
    return merge([own, ...this.#snapshots()]).metrics()
  }

  /** What tells of the work of the service, as plain values. */
  async readings(own: Snapshot): Promise<Reading[]> {
    const snapshots = [own, ...this.#snapshots()].map((snapshot) => snapshot.filter(isAboutWork))
    return readingsOf((await merge(snapshots).getMetricsAsJSON()) as Snapshot)
  }

  #snapshots(): Snapshot[] {
    const living = [...this.#living.values()].map((metrics) => [...metrics.values()])
    return [this.#ended, ...living]
  }
}

function merge(snapshots: readonly Snapshot[]) {
  // What prom-client would leave out carries the label of its process here, so there is nothing to mix up.
  const whole = (metric: Metric): Metric =>
    metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => snapshot.map(whole)))
}
