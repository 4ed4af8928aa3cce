import type { LogBatch } from '../../../src/logs/batch.ts'
import { MEASURES, type Measure } from '../../../src/logs/extent.ts'
import type { ContentLimits } from '../../../src/logs/limit.ts'
import type { BoundCounter, ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import { type Outcome, Refusal } from '../outcome.ts'
import type { LimitsSettings } from './config.ts'

const SETTINGS = {
  attributes: 'max_attributes',
  key: 'max_key_length',
  value: 'max_value_length',
  body: 'max_body_length',
} as const satisfies Record<Measure, keyof LimitsSettings>

/** Records of a request that were refused, while the others are taken. */
interface Excess {
  readonly rejected: number
  /** Which limits they were over. */
  readonly message: string
}

/** What requests may hold. */
export class Content {
  readonly #maxRecords: number
  readonly #limits: ContentLimits
  readonly #truncated: (measure: Measure) => BoundCounter
  readonly #refused: (measure: Measure) => BoundCounter

  constructor(settings: LimitsSettings, metrics: ComponentMetrics) {
    const none = Number.POSITIVE_INFINITY
    this.#maxRecords = settings.max_records_per_request
    this.#limits = {
      attributes: settings.max_attributes ?? none,
      key: settings.max_key_length ?? none,
      value: settings.max_value_length ?? none,
      body: settings.max_body_length ?? none,
      whenOver: settings.when_exceeded,
    }
    const by = (name: string, help: string) => (measure: Measure) =>
      metrics.counter(name, help, { limit: SETTINGS[measure] })
    this.#truncated = by('sluice_receiver_truncated_total', 'Attributes left out and texts cut, by limit.')
    this.#refused = by('sluice_receiver_over_limit_log_records_total', 'Log records refused, by limit.')
  }

  /**
   * Holds a batch to the limits. Gives what was left out of it with the sender being told.
   * @throws Refusal where nothing is left
   */
  limit(batch: LogBatch): Excess | undefined {
    const records = batch.size
    if (records > this.#maxRecords) {
      throw new Refusal(
        'records',
        `the request has ${records} records, more than ${this.#maxRecords} (limits.max_records_per_request)`,
      )
    }
    const limited = batch.limit(this.#limits)
    if (limited === undefined) return undefined
    for (const measure of MEASURES) {
      if (limited.cut[measure] > 0) this.#truncated(measure).inc(limited.cut[measure])
      if (limited.refused[measure] > 0) this.#refused(measure).inc(limited.refused[measure])
    }
    const rejected = records - batch.size
    if (rejected === 0) return undefined
    const message = MEASURES.filter((measure) => limited.refused[measure] > 0)
      .map((measure) => this.#sentence(measure, limited.refused[measure]))
      .join('; ')
    if (rejected === records) throw new Refusal('content', message)
    return { rejected, message }
  }

  #sentence(measure: Measure, records: number): string {
    const unit = measure === 'attributes' ? 'attributes' : 'bytes'
    return `${records} log records are over ${this.#limits[measure]} ${unit} (limits.${SETTINGS[measure]})`
  }
}

/** The outcome for the sender of a request of which only a part was pushed. */
export function withExcess(outcome: Outcome, excess: Excess | undefined): Outcome {
  if (excess === undefined || !outcome.ok) return outcome
  const message = outcome.message === '' ? excess.message : `${excess.message}; ${outcome.message}`
  return { ok: true, rejected: outcome.rejected + excess.rejected, message }
}
