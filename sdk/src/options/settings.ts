import type { Diagnostics } from '../diagnostics.ts'
import type { PipeOptions } from '../pipe/options.ts'

/** All settings of one root logger: code options over the environment over defaults. Durations are milliseconds, sizes bytes. */
export interface Settings {
  /** `OTEL_SDK_DISABLED`: every logger takes its calls and does nothing. */
  readonly disabled: boolean
  readonly logger: LoggerSettings
  readonly record: RecordSettings
  readonly resource: ResourceSettings
  readonly pipe: PipeSettings
}

/** The root logger. */
export interface LoggerSettings {
  /** Name of the instrumentation scope. */
  readonly name: string
  readonly version: string | undefined
  /** Lowest severity number that is logged; `Infinity` is none. */
  readonly threshold: number
  readonly diagnostics: Diagnostics
}

/** How a record is encoded. */
export interface RecordSettings {
  readonly limits: Limits
  readonly redaction: RedactionSettings
  /** Whether each record carries `log.record.uid`. */
  readonly uid: boolean
  /** Whether each record carries `code.*` of its call. */
  readonly code: boolean
}

/** What is over a limit is cut and marked, or counted in `dropped_attributes_count`. */
export interface Limits {
  /** Attributes of a record. */
  readonly attributes: number
  /** Length of a text or of bytes in an attribute, in UTF-16 units or bytes. */
  readonly valueLength: number
  /** Length of a text body, in UTF-16 units. */
  readonly bodyLength: number
  /** Levels of nested values. */
  readonly depth: number
  /** Elements of one nested array or object. */
  readonly elements: number
  /** Bytes of an encoded record. */
  readonly recordBytes: number
}

/** What is not to leave the process. */
export interface RedactionSettings {
  /** Paths into the fields of a record, in pino's notation. */
  readonly paths: readonly string[]
  /** Stands in place of what a path names; `undefined` leaves the field out. */
  readonly censor: Censor | undefined
  readonly detectors: readonly DetectorName[]
}

/** A text, or a function of the value and where it stands. */
export type Censor = string | ((value: unknown, path: readonly string[]) => unknown)

/** Finds secrets by how they look: the names that Sluice's `redaction` processor has. */
export type DetectorName = 'email' | 'credit_card' | 'cn_mobile' | 'cn_id' | 'bearer_token' | 'jwt'

/** What is known of the resource before detection. */
export interface ResourceSettings {
  /** Attributes of code options and of the environment, which detection does not replace. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** Whether host, process, container and Kubernetes are looked at. */
  readonly detect: boolean
}

/** The way from an encoded record to the collector, but for what a logger gives it. */
export type PipeSettings = Omit<PipeOptions, 'resource' | 'onUncaught'>
