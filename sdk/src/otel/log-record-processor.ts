import { traceBytes } from '../context/trace-bytes.ts'
import type { LogSink } from '../logger/log-sink.ts'
import { Recorder } from '../logger/recorder.ts'
import type { LoggerOptions } from '../options/options.ts'
import { resolveSettings } from '../options/resolve.ts'
import type { Settings } from '../options/settings.ts'
import { createPipe } from '../pipe/pipe.ts'
import { type Severity, severityOf } from '../record/severity.ts'
import { encodeResource } from '../resource/resource.ts'
import { DeferredSink } from './deferred-sink.ts'
import type { SdkRecord, SdkResource } from './readable-record.ts'
import { nanosOfHr } from './time.ts'

const MAX_SEVERITIES = 256
const NO_TRACE = new Uint8Array(0)

/** The way of the records of one resource. */
interface Lane {
  readonly sink: LogSink
  readonly recorder: Recorder
}

/**
 * A `LogRecordProcessor` for `@opentelemetry/sdk-logs` that takes the place of a batch processor and its exporter:
 * with bounded bytes, retries, spill and counters. The resource is the one of the records, the level that of the SDK
 * unless the options have one.
 *
 * @example
 * ```ts
 * new LoggerProvider({ resource, processors: [new SluiceLogRecordProcessor({ endpoint: 'http://sluice:4318' })] })
 * ```
 */
export class SluiceLogRecordProcessor {
  readonly #settings: Settings
  readonly #lanes = new Map<SdkResource, Lane>()
  readonly #severities = new Map<string, Severity>()

  constructor(options: LoggerOptions = {}) {
    this.#settings = resolveSettings({ level: 'trace', ...options }, process.env)
  }

  onEmit(record: SdkRecord): void {
    const { severityNumber = 0, severityText = '' } = record
    if (!this.enabled({ severityNumber })) return
    const { recorder } = this.#lane(record.resource)
    recorder.record(record.instrumentationScope, undefined, {
      severity: this.#severity(severityNumber, severityText),
      body: record.body,
      fields: record.attributes,
      eventName: record.eventName,
      time: nanosOfHr(record.hrTime),
      trace: traceOf(record),
    })
  }

  enabled({ severityNumber = 0 }: { readonly severityNumber?: number }): boolean {
    const { disabled, logger } = this.#settings
    return !disabled && (severityNumber === 0 || severityNumber >= logger.threshold)
  }

  async forceFlush(options: { readonly timeoutMillis?: number } = {}): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ sink }) => sink.flush(options.timeoutMillis)))
  }

  async shutdown(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ sink }) => sink.shutdown()))
  }

  #lane(resource: SdkResource): Lane {
    const known = this.#lanes.get(resource)
    if (known !== undefined) return known
    const { pipe, record, logger } = this.#settings
    const ready = resource.asyncAttributesPending === true ? resource.waitForAsyncAttributes?.() : undefined
    const sink = new DeferredSink(ready, () =>
      createPipe({ ...pipe, resource: encodeResource(settled(resource.attributes)) }),
    )
    const lane = { sink, recorder: new Recorder(sink, record, logger.diagnostics) }
    this.#lanes.set(resource, lane)
    return lane
  }

  #severity(number: number, text: string): Severity {
    const key = `${number} ${text}`
    const known = this.#severities.get(key)
    if (known !== undefined) return known
    const severity = severityOf(number, text)
    if (this.#severities.size < MAX_SEVERITIES) this.#severities.set(key, severity)
    return severity
  }
}

/** The record has the trace of its own context, or none. */
function traceOf({ spanContext }: SdkRecord): Uint8Array {
  if (spanContext === undefined) return NO_TRACE
  const { traceId, spanId, traceFlags } = spanContext
  return traceBytes({ traceId, spanId, flags: traceFlags }) ?? NO_TRACE
}

/** Attributes that are still to come are promises in some versions: they are left out. */
function settled(attributes: SdkResource['attributes']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => !(value instanceof Promise)))
}
