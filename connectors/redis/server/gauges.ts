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
