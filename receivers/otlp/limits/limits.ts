import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import { BodyRate } from './body-rate.ts'
import type { LimitsSettings } from './config.ts'
import { InFlight } from './in-flight.ts'

/** What holds for the requests of both protocols together. */
export class Limits {
  readonly inFlight: InFlight
  readonly bodyRate: BodyRate
  readonly maxCompressionRatio: number

  constructor(settings: LimitsSettings, metrics: ComponentMetrics) {
    this.inFlight = new InFlight(settings.max_in_flight_bytes, metrics)
    this.bodyRate = new BodyRate(settings)
    this.maxCompressionRatio = settings.max_compression_ratio
  }
}
