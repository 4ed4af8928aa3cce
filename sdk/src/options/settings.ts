import type { MeterProvider } from '@opentelemetry/api'
import type { Diagnostics } from '../diagnostics.ts'

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

/** The way from an encoded record to the collector. */
export interface PipeSettings {
  readonly destination: DestinationSettings
  readonly batch: BatchSettings
  readonly queue: QueueSettings
  readonly retry: RetrySettings
  /** Where records wait on disk; none without it. */
  readonly spill: SpillSettings | undefined
  /** Whether the pipe flushes by itself on `beforeExit`, signals, uncaught exceptions and `process.exit`. */
  readonly exitHooks: boolean
  /** How long `flush` and `shutdown` take at most where the caller does not say. */
  readonly flushTimeoutMillis: number
  /** Told of each drop; what it throws is ignored. */
  readonly onDrop: ((drop: Drop) => void) | undefined
  /** Gets the counters of the pipe as instruments. */
  readonly meterProvider: MeterProvider | undefined
  readonly diagnostics: Diagnostics
}

/** The OTLP endpoint and how to speak to it. */
export interface DestinationSettings {
  readonly protocol: 'grpc' | 'http/protobuf'
  /**
   * `http/protobuf`: the whole URL that requests are posted to. `grpc`: `http://host:port` without TLS, or
   * `https://host:port` with it.
   */
  readonly url: string
  /** Sent with each request. A function is asked before each attempt: for tokens that expire. */
  readonly headers: Headers | (() => Headers | Promise<Headers>)
  readonly compression: 'none' | 'gzip'
  /** For one attempt. */
  readonly timeoutMillis: number
  readonly tls: TlsSettings
}

/** Names and values of headers (of gRPC: of metadata). */
export type Headers = Readonly<Record<string, string>>

/** Paths of PEM files. */
export interface TlsSettings {
  /** The authorities to trust instead of the system's. */
  readonly certificate: string | undefined
  readonly clientKey: string | undefined
  readonly clientCertificate: string | undefined
}

/** When a batch is sent: whichever comes first. */
export interface BatchSettings {
  readonly maxRecords: number
  readonly maxBytes: number
  /** A record waits no longer than this for others. */
  readonly delayMillis: number
}

/** What waits in memory. */
export interface QueueSettings {
  /** Of all records that are held, those on their way included. */
  readonly maxBytes: number
  /** `Infinity` where only bytes count. */
  readonly maxRecords: number
  /**
   * When the queue is full: `drop` drops the lowest severity first; `spill` writes to disk first, and drops where that
   * is full too. `spill` needs `PipeSettings.spill`.
   */
  readonly overflow: 'drop' | 'spill'
}

/** When a batch that the collector did not take is sent again. */
export interface RetrySettings {
  readonly initialMillis: number
  readonly maxMillis: number
  /** A batch is given up, spilled or dropped, after this long. */
  readonly budgetMillis: number
}

/** Records on disk while the collector is away, or until it has answered. */
export interface SpillSettings {
  readonly directory: string
  readonly maxBytes: number
  /** A record that has not been acknowledged for so long is on disk: what `kill -9` can cost. */
  readonly windowMillis: number
  /** Whether files are synced, so that they outlive the machine's power too. */
  readonly sync: boolean
}

/** Records that are lost, all for the same reason. */
export interface Drop {
  /** A short word, as in the counters: `queue_full`, `rejected`, `retry_budget`, … */
  readonly reason: string
  readonly records: number
  /** Encoded; 0 where that is not known. */
  readonly bytes: number
  /** OTel severity number; 0 where that is not known. */
  readonly severity: number
}
