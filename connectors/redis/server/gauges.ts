import type { Across, ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import type { ServerInfo } from '../connection/info.ts'
import type { Verdict } from './verdict.ts'

type Gauge = ReturnType<ComponentMetrics['gauge']>

/** What the metrics tell of the server. */
export class ServerGauges {
  readonly #watermark: Gauge
  readonly #noEviction: Gauge
  readonly #maxMemory: Gauge
  readonly #appendOnly: Gauge
  readonly #ratio: Gauge

  constructor(metrics: ComponentMetrics, connected: () => boolean) {
    const gauge = (name: string, help: string, across: Across, read?: () => number): Gauge =>
      metrics.gauge(name, help, {}, read, across)
    gauge('sluice_redis_connected', '1 while the server answers.', 'min', () => Number(connected()))
    this.#watermark = gauge(
      'sluice_buffer_watermark_state',
      '1 while pushes are refused for want of memory.',
      'max',
    )
    this.#noEviction = gauge(
      'sluice_redis_noeviction',
      '0 when the server may delete what it accepted.',
      'min',
    )
    this.#maxMemory = gauge(
      'sluice_redis_maxmemory_bytes',
      'The maxmemory of the server; 0 is no limit.',
      'max',
    )
    this.#appendOnly = gauge('sluice_redis_appendonly', '0 when the server loses its data as it ends.', 'min')
    this.#ratio = gauge('sluice_redis_memory_ratio', 'Share of maxmemory in use.', 'max')
  }

  show(server: ServerInfo, verdict: Verdict): void {
    this.#watermark.set(Number(verdict.refusal === 'watermark'))
    this.#noEviction.set(Number(server.policy === 'noeviction'))
    this.#maxMemory.set(server.maxMemory)
    this.#appendOnly.set(Number(server.appendOnly))
    this.#ratio.set(verdict.memoryRatio)
  }
}

/** What the metrics tell of a stream. All processes that share it show the same figures: take one, not their sum. */
export class StreamGauges {
  readonly #dead: Gauge
  readonly #groups: readonly { records: Gauge; bytes: Gauge; elements: Gauge; inFlight: Gauge }[]

  constructor(metrics: ComponentMetrics, groups: readonly string[]) {
    const gauge = (name: string, help: string, labels: Readonly<Record<string, string>>): Gauge =>
      metrics.gauge(name, help, labels, undefined, 'max')
    this.#dead = gauge('sluice_dead_letter_records', 'Log records in the dead-letter queue.', {})
    this.#groups = groups.map((group) => ({
      records: gauge('sluice_buffer_records', 'Log records in the buffer, in flight or not.', { group }),
      bytes: gauge('sluice_buffer_bytes', 'Bytes of the elements in the buffer.', { group }),
      elements: gauge('sluice_buffer_elements', 'Elements in the buffer, in flight or not.', { group }),
      inFlight: gauge('sluice_buffer_in_flight_elements', 'Elements that drains hold.', { group }),
    }))
  }

  /** Shows what OBSERVE returned, without the key. Elements of other tools are counted only when they leave. */
  show([dead, ...counts]: readonly number[]): void {
    this.#dead.set(Math.max(0, dead))
    this.#groups.forEach((gauges, index) => {
      const [records, bytes, elements, waiting] = counts.slice(index * 4)
      gauges.records.set(Math.max(0, records))
      gauges.bytes.set(Math.max(0, bytes))
      gauges.elements.set(Math.max(0, elements, waiting))
      gauges.inFlight.set(Math.max(0, elements - waiting))
    })
  }
}
