import type { HrTime, SpanContext } from '@opentelemetry/api'
import type { Scope } from '../pipe/sink.ts'

/** A resource of `@opentelemetry/resources`, as far as it is used here. */
export interface SdkResource {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly asyncAttributesPending?: boolean
  waitForAsyncAttributes?(): Promise<void>
}

/** A record that `@opentelemetry/sdk-logs` has made: what versions 0.200 to 3 have in common. */
export interface SdkRecord {
  readonly hrTime: HrTime
  readonly spanContext?: SpanContext | undefined
  readonly severityText?: string | undefined
  readonly severityNumber?: number | undefined
  readonly body?: unknown
  readonly eventName?: string | undefined
  readonly resource: SdkResource
  /** One object for each logger. */
  readonly instrumentationScope: Scope
  readonly attributes: Readonly<Record<string, unknown>>
}
