import {
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'
import { getOrMake } from './get-or-make.ts'
import { QuickHistogram } from './histogram.ts'
import { type Labels, seriesKey } from './labels.ts'

/** A counter bound to its labels: a call costs an addition. */
export interface BoundCounter {
  inc(n?: number): void
}

export interface BoundGauge {
  set(value: number): void
  /** Shows these labels no more, until they are set again. */
  remove(): void
}

export interface BoundHistogram {
  observe(value: number): void
}

/**
 * Makes metrics that carry the component's own label, so that two components of a type never mix.
 * Names are created once and shared by all components of the process. Bind labels once, count per batch.
 */
export interface ComponentMetrics {
  readonly counter: (name: string, help: string, labels?: Labels) => BoundCounter
  /**
   * With `read`, the value is read when Prometheus scrapes. Of several processes the endpoint shows the sum, unless
   * `across` says otherwise: what they all see of one thing, the depth of a shared queue for one, is not to be added up.
   */
  readonly gauge: (
    name: string,
    help: string,
    labels?: Labels,
    read?: () => number,
    across?: Across,
  ) => BoundGauge
  /** `buckets` in the unit of the name. */
  readonly histogram: (
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: Labels,
  ) => BoundHistogram
}

/** How the values of several processes make one. */
export type Across = 'sum' | 'max' | 'min'

/**
 * Which metrics to look at: all, counters and histograms only, or those of Sluice's own work only. Reading some of
 * Node's gauges starts them anew, so nobody but a scrape reads all.
 */
export type Which = 'all' | 'counts' | 'work'

/** Metrics of a process with their values, as plain data that can be sent to another process. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

/** Labels of metrics that components of several kinds count in, each with some of them. */
const SHARED_LABELS: Readonly<Record<string, readonly string[]>> = {
  sluice_dropped_log_records_total: ['processor', 'pipeline', 'connector', 'reason'],
  sluice_dead_letter_log_records_total: ['connector', 'exporter', 'pipeline'],
  sluice_file_reloads_total: ['receiver', 'extension', 'outcome'],
  sluice_tls_handshake_failures_total: ['receiver', 'extension'],
}

/** What was counted since somebody looked. The library takes half a microsecond to find the series of some labels. */
class Tally implements BoundCounter {
  readonly #series: BoundCounter
  /** A series is shown from when it was first counted in, if only 0. */
  #count: number | undefined

  constructor(series: BoundCounter) {
    this.#series = series
  }

  inc(n = 1): void {
    this.#count = (this.#count ?? 0) + n
  }

  move(): void {
    if (this.#count === undefined) return
    this.#series.inc(this.#count)
    this.#count = undefined
  }
}

/** All metrics of one service. */
export class Metrics {
  readonly registry = new Registry()
  readonly #counters = new Map<string, { readonly counter: Counter; readonly tallies: Map<string, Tally> }>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, QuickHistogram>()
  readonly #reads = new Map<string, { child: { set(value: number): void }; read: () => number }[]>()

  /** Metrics that carry the given labels besides their own, `{ exporter: 'elasticsearch' }` for one. */
  bind(fixed: Labels): ComponentMetrics {
    return {
      counter: (name, help, labels = {}) => {
        const all = { ...fixed, ...labels }
        const { counter, tallies } = getOrMake(this.#counters, name, () => {
          const tallies = new Map<string, Tally>()
          const collect = (): void => {
            for (const tally of tallies.values()) tally.move()
          }
          return { counter: new Counter({ ...this.#options(name, help, all), collect }), tallies }
        })
        return getOrMake(tallies, seriesKey(all), () => new Tally(counter.labels(all)))
      },
      gauge: (name, help, labels = {}, read, across = 'sum') => {
        const all = { ...fixed, ...labels }
        const gauge = getOrMake(this.#gauges, name, () => {
          const reads: { child: { set(value: number): void }; read: () => number }[] = []
          this.#reads.set(name, reads)
          const collect = (): void => {
            for (const { child, read } of reads) child.set(read())
          }
          return new Gauge({ ...this.#options(name, help, all), collect, aggregator: across })
        })
        const child = gauge.labels(all)
        if (read) this.#reads.get(name)?.push({ child, read })
        return { set: (value) => child.set(value), remove: () => gauge.remove(all) }
      },
      histogram: (name, help, buckets, labels = {}) => {
        const all = { ...fixed, ...labels }
        const histogram = getOrMake(
          this.#histograms,
          name,
          () => new QuickHistogram({ ...this.#options(name, help, all), buckets: [...buckets] }),
        )
        return histogram.of(all)
      },
    }
  }

  async snapshot(which: Which): Promise<Snapshot> {
    if (which === 'all') return this.registry.getMetricsAsJSON()
    const chosen = this.registry
      .getMetricsAsArray()
      .filter((metric) => which === 'counts' || isAboutWork(metric))
      .filter((metric) => metric instanceof Counter || metric instanceof Histogram || metric instanceof Gauge)
      .filter((metric) => which === 'work' || !(metric instanceof Gauge))
    return Promise.all(chosen.map((metric) => metric.get()))
  }

  #options(name: string, help: string, labels: Labels) {
    const labelNames = [...new Set([...Object.keys(labels), ...(SHARED_LABELS[name] ?? [])])]
    return { name, help, labelNames, registers: [this.registry] }
  }
}

/** Whether a metric tells of what Sluice does, and not of the process that does it. */
export function isAboutWork({ name }: { readonly name: string }): boolean {
  return name.startsWith('sluice_')
}
