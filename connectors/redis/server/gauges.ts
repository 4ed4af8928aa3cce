import type { Across, ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import type { ServerInfo } from '../connection/info.ts'
import { type Fill, LIMITS } from './fill.ts'
import { STATES, type State } from './states.ts'

type Gauge = ReturnType<ComponentMetrics['gauge']>

/** Where the gauges of the server read what they show. */
export interface ServerSources {
  readonly connected: () => boolean
  readonly has: (state: State) => boolean
  readonly fill: Fill
}

/** What the metrics tell of the server. */
export class ServerGauges {
  readonly #noEviction: Gauge
  readonly #maxMemory: Gauge
  readonly #appendOnly: Gauge
  readonly #ratio: Gauge

  constructor(metrics: ComponentMetrics, { connected, has, fill }: ServerSources) {
    const gauge = (name: string, help: string, across: Across, read?: () => number): Gauge =>
      metrics.gauge(name, help, {}, read, across)
    gauge('sluice_redis_connected', '1 while the server answers.', 'min', () => Number(connected()))
    for (const state of STATES) {
      const help = '1 while the server is in a state that is bad for the buffer.'
      metrics.gauge('sluice_redis_state', help, { state }, () => Number(has(state)), 'max')
    }
    gauge(
      'sluice_buffer_watermark_state',
      'How full the buffer is: 0 is well, 1 above the mark of warning, 2 while pushes are refused.',
      'max',
      () => fill.level(),
    )
    for (const limit of LIMITS) {
      const help = 'Share of a limit in use; 0 where it is not set.'
      metrics.gauge('sluice_buffer_limit_ratio', help, { limit }, () => fill.share(limit), 'max')
    }
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

  show({ policy, usedMemory, maxMemory, appendOnly }: ServerInfo): void {
    this.#noEviction.set(Number(policy === 'noeviction'))
    this.#maxMemory.set(maxMemory)
    this.#appendOnly.set(Number(appendOnly))
    this.#ratio.set(maxMemory > 0 ? usedMemory / maxMemory : 0)
  }
}
