import type { Connector, Exporter } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { ComponentMetrics } from '../telemetry/metrics.ts'
import type { DeliverySettings } from './config.ts'
import type { Bury } from './sender.ts'

/** Where the records end that an exporter was refused, for a pipeline that reads from a buffer. */
export type Burial = (connector: Connector, pipeline: string) => Bury

/**
 * At the destination, where the exporter keeps dead letters there; what it cannot keep, and everything where it
 * keeps none, in the buffer. Each record is counted where it is kept.
 */
export function burialOf(
  exporter: Exporter,
  { timeout }: Pick<DeliverySettings, 'timeout'>,
  metrics: ComponentMetrics,
): Burial {
  /** What the buffer is to keep of letters whose others are kept, while the buffer does not take it. */
  const left = new WeakMap<LogBatch, readonly number[]>()

  return (connector, pipeline) => async (batch, reason, signal) => {
    if (exporter.bury === undefined) {
      await connector.bury({ batch, reason, pipeline }, signal)
      return
    }
    let rest = left.get(batch)
    if (rest === undefined) {
      const until = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
      rest = await exporter.bury({ batch, reason, pipeline }, until)
      left.set(batch, rest)
      metrics
        .counter('sluice_dead_letter_log_records_total', 'Log records put in the dead-letter queue.', {
          pipeline,
        })
        .inc(batch.size - rest.length)
    }
    if (rest.length > 0) await connector.bury({ batch: batch.select(rest), reason, pipeline }, signal)
  }
}
