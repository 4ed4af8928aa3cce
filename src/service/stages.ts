import { PermanentError, type Processor, type Push } from '../component.ts'
import type { LogBatch } from '../logs/batch.ts'
import type { Metrics } from '../telemetry/metrics.ts'

const DURATION_BUCKETS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]

/** A processor of one pipeline, measured. */
export type Stage = (batch: LogBatch, signal: AbortSignal) => Promise<void> | void

/** Measures a processor as every processor is measured: records in and out, time, and drops by reason. */
export function measuredStage(id: string, pipeline: string, processor: Processor, metrics: Metrics): Stage {
  const bound = metrics.bind({ processor: id, pipeline, otel_signal: 'logs' })
  const incoming = bound.counter(
    'otelcol_processor_incoming_items',
    'Log records that a processor was given.',
  )
  const outgoing = bound.counter(
    'otelcol_processor_outgoing_items',
    'Log records that a processor passed on.',
  )
  const duration = bound.histogram(
    'otelcol_processor_internal_duration',
    'Seconds a processor took for one batch.',
    DURATION_BUCKETS,
  )
  const dropped = (reason: string) =>
    metrics
      .bind({ processor: id, pipeline })
      .counter('sluice_dropped_log_records_total', 'Log records that were left out, by reason.', { reason })

  const finish = (batch: LogBatch, before: number, started: number): void => {
    incoming.inc(before)
    outgoing.inc(batch.size)
    duration.observe((performance.now() - started) / 1000)
    for (const [reason, count] of batch.takeDrops()) dropped(reason).inc(count)
  }
  return (batch, signal) => {
    const before = batch.size
    const started = performance.now()
    const pending = processor.process(batch, signal)
    if (pending === undefined) {
      finish(batch, before, started)
      return undefined
    }
    return pending.then(() => finish(batch, before, started))
  }
}

/** Sends a batch through the stages and then to every sink. What has nothing left to say goes no further. */
export function pushThrough(stages: readonly Stage[], sinks: readonly Push[]): Push {
  return async (batch, signal) => {
    for (const stage of stages) {
      if (batch.size === 0) return
      const pending = stage(batch, signal)
      if (pending !== undefined) await pending
    }
    if (batch.size > 0) await fanOut(sinks)(batch, signal)
  }
}

/** Gives each target a batch of its own; resolves when all have taken theirs, and rejects only after all have answered. */
export function fanOut(targets: readonly Push[]): Push {
  if (targets.length === 1) return targets[0]
  return async (batch, signal) => {
    const forks = targets.map((_, index) => (index === 0 ? batch : batch.fork()))
    const settled = await Promise.allSettled(targets.map((push, index) => push(forks[index], signal)))
    const reasons: unknown[] = settled.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    )
    // One that may still succeed goes before one that never will: told the latter, a client would drop the batch.
    const worthRetrying = reasons.find((reason) => !(reason instanceof PermanentError))
    if (reasons.length > 0) throw worthRetrying ?? reasons[0]
  }
}
