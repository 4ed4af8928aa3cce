import type { Attributes, MeterProvider, ObservableResult } from '@opentelemetry/api'
import type { Destination } from '../transport/destination.ts'
import type { Counters, DropReason } from './counters.ts'

/** Drops before a record was in a batch, by semantic conventions' `error.type`. */
const BY_PROCESSOR: readonly DropReason[] = ['queue_full', 'too_large', 'shutdown']
const BY_EXPORTER: readonly DropReason[] = [
  'refused',
  'partial_success_rejected',
  'retry_budget',
  'spill_full',
  'spill_failed',
  'spill_corrupt',
]

/** What is looked at when metrics are collected. */
export interface Readings {
  readonly counters: Counters
  readonly queued: number
  /** `Infinity` where only bytes count. */
  readonly capacity: number
  /** Records that have left the queue in batches. */
  readonly batched: number
  /** Records that are on their way to the collector. */
  readonly inFlight: number
}

let instances = 0

/**
 * Shows the counters as instruments: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
 *
 * @returns How to end that.
 */
export function observe(
  provider: MeterProvider,
  { protocol, url }: Destination,
  read: () => Readings,
): () => void {
  const instance = instances++
  const meter = provider.getMeter('@sluice/logs')
  const processor = component('batching_log_processor', instance)
  const type = protocol === 'grpc' ? 'otlp_grpc_log_exporter' : 'otlp_http_log_exporter'
  const exporter = { ...component(type, instance), ...serverOf(url) }
  const unit = '{log_record}'

  const processed = meter.createObservableCounter('otel.sdk.processor.log.processed', { unit })
  const size = meter.createObservableUpDownCounter('otel.sdk.processor.log.queue.size', { unit })
  const capacity = meter.createObservableUpDownCounter('otel.sdk.processor.log.queue.capacity', { unit })
  const inFlight = meter.createObservableUpDownCounter('otel.sdk.exporter.log.inflight', { unit })
  const exported = meter.createObservableCounter('otel.sdk.exporter.log.exported', { unit })

  const failures = (
    result: ObservableResult,
    reasons: readonly DropReason[],
    attributes: Attributes,
  ): void => {
    const { dropped } = read().counters
    for (const reason of reasons) {
      if (dropped[reason] > 0) result.observe(dropped[reason], { ...attributes, 'error.type': reason })
    }
  }
  const callbacks = [
    [
      processed,
      (result) => {
        result.observe(read().batched, processor)
        failures(result, BY_PROCESSOR, processor)
      },
    ],
    [size, (result) => result.observe(read().queued, processor)],
    [
      capacity,
      (result) => {
        if (Number.isFinite(read().capacity)) result.observe(read().capacity, processor)
      },
    ],
    [inFlight, (result) => result.observe(read().inFlight, exporter)],
    [
      exported,
      (result) => {
        result.observe(read().counters.sent, exporter)
        failures(result, BY_EXPORTER, exporter)
      },
    ],
  ] satisfies [typeof processed, (result: ObservableResult) => void][]
  for (const [instrument, callback] of callbacks) instrument.addCallback(callback)
  return () => {
    for (const [instrument, callback] of callbacks) instrument.removeCallback(callback)
  }
}

function component(type: string, instance: number): Attributes {
  return { 'otel.component.type': type, 'otel.component.name': `${type}/${instance}` }
}

function serverOf(url: string): Attributes {
  try {
    const { protocol, hostname, port } = new URL(url)
    const usual = protocol === 'https:' ? 443 : 80
    return { 'server.address': hostname, 'server.port': port === '' ? usual : Number(port) }
  } catch {
    return {}
  }
}
