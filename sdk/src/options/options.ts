import type { MeterProvider } from '@opentelemetry/api'
import type { EventDefinitions, EventMap } from '../logger/events.ts'
import type { Threshold } from '../logger/levels.ts'
import type { Drop } from '../pipe/counters.ts'
import type { Headers } from '../transport/destination.ts'
import type { Censor, DetectorName } from './settings.ts'

/**
 * Options of `createLogger`. What is not given here is taken from the `OTEL_*` environment variables of the
 * OpenTelemetry specification, then from the defaults. Durations are milliseconds, sizes bytes.
 *
 * @example
 * ```ts
 * createLogger({ service: 'shop', version: '1.4.0', redact: ['password', '*.card'], spill: '/var/spool/shop' })
 * ```
 */
export interface LoggerOptions<Events extends EventMap = EventMap> {
  /** `service.name`; `OTEL_SERVICE_NAME` without it. */
  readonly service?: string
  /** `service.version`, also of the instrumentation scope. */
  readonly version?: string
  /** `service.namespace`. */
  readonly namespace?: string
  /** `service.instance.id`; a random one without it. */
  readonly instanceId?: string
  /** `deployment.environment.name`. */
  readonly environment?: string
  /** Name of the root logger, which children without one have too; the name of the service without it. */
  readonly name?: string
  /** The lowest level that is logged. Default `info`. */
  readonly level?: Threshold
  /** Attributes of every record. */
  readonly base?: Readonly<Record<string, unknown>>
  /** Made by `defineEvents`. */
  readonly events?: EventDefinitions<Events>
  /** More attributes of the resource, which detection does not replace. */
  readonly resource?: Readonly<Record<string, unknown>>
  /** Whether host, process, container and Kubernetes are detected. Default true. */
  readonly detectResource?: boolean
  /** Paths into the fields, or all of redaction. */
  readonly redact?: readonly string[] | RedactOptions
  readonly limits?: LimitOptions
  /** Whether every record carries a ULID in `log.record.uid`. Default true. */
  readonly uid?: boolean
  /** Whether every record carries `code.*` of its call, which costs some microseconds. Default false. */
  readonly code?: boolean
  /** Base URL of the collector; `/v1/logs` is appended for HTTP. Default `http://localhost:4318`. */
  readonly endpoint?: string
  /** Default `http/protobuf`, or `grpc` where the endpoint has the port of OTLP over gRPC, 4317. */
  readonly protocol?: 'grpc' | 'http/protobuf'
  /** Of each request; a function is asked before each attempt. */
  readonly headers?: Headers | (() => Headers | Promise<Headers>)
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip'
  /** Of one attempt to send. Default 10,000. */
  readonly timeoutMillis?: number
  /** Paths of PEM files. */
  readonly tls?: TlsOptions
  readonly batch?: BatchOptions
  readonly queue?: QueueOptions
  readonly retry?: RetryOptions
  /** A folder of this process, or all of the spill. Without it nothing is written to disk. */
  readonly spill?: string | SpillOptions
  /** Whether logs are flushed at `beforeExit`, signals, uncaught exceptions and `process.exit`. Default true. */
  readonly exitHooks?: boolean
  /** How long `flush` and `shutdown` take at most. Default 30,000. */
  readonly flushTimeoutMillis?: number
  /** Told of records that are lost. */
  readonly onDrop?: (drop: Drop) => void
  /** Gets the counters, as the instruments that OpenTelemetry names for SDKs. */
  readonly meterProvider?: MeterProvider
  /** Takes the lines that say what is wrong; otherwise `diag` of `@opentelemetry/api`, or standard error. */
  readonly diagnostics?: (line: string) => void
}

/** What is not to leave the process. */
export interface RedactOptions {
  /** As in pino: `password`, `*.card`, `req.headers.authorization`, `items[*].token`; and `**.secret` at any depth. */
  readonly paths?: readonly string[]
  /** Stands in place of what a path names. Default `[Redacted]`. */
  readonly censor?: Censor
  /** Leaves out what a path names. Default false. */
  readonly remove?: boolean
  /** Masks what looks like one of these in messages, keys and values. */
  readonly detectors?: readonly DetectorName[]
}

/** What is over a limit is cut and marked, or counted in `dropped_attributes_count`. */
export interface LimitOptions {
  /** Attributes of a record. Default 128. */
  readonly attributes?: number
  /** Length of a text in an attribute. Default 32,768. */
  readonly valueLength?: number
  /** Length of a message. Default 65,536. */
  readonly bodyLength?: number
  /** Levels of nested values. Default 8. */
  readonly depth?: number
  /** Elements of one array or object. Default 1,000. */
  readonly elements?: number
  /** Bytes of an encoded record. Default 262,144. */
  readonly recordBytes?: number
}

/** Paths of PEM files. */
export interface TlsOptions {
  /** The authorities to trust instead of the system's. */
  readonly certificate?: string
  readonly clientKey?: string
  readonly clientCertificate?: string
}

/** When a batch is sent: whichever comes first. */
export interface BatchOptions {
  /** Default 512. */
  readonly maxRecords?: number
  /** Default 1 MiB. */
  readonly maxBytes?: number
  /** Default 1,000. */
  readonly delayMillis?: number
}

/** What may wait in memory. */
export interface QueueOptions {
  /** Default 32 MiB. */
  readonly maxBytes?: number
  /** Default: only bytes count. */
  readonly maxRecords?: number
  /** When it is full: `spill` to disk, the default with `spill`, or `drop` the lowest severity first. */
  readonly overflow?: 'drop' | 'spill'
}

/** When a batch that the collector did not take is sent again. */
export interface RetryOptions {
  /** Default 1,000. */
  readonly initialMillis?: number
  /** Default 30,000. */
  readonly maxMillis?: number
  /** After this long a batch is given up. Default 300,000. */
  readonly budgetMillis?: number
}

/** Records on disk while the collector is away. */
export interface SpillOptions {
  /** Of this process only. */
  readonly directory: string
  /** Default 256 MiB. */
  readonly maxBytes?: number
  /** A record that is not delivered after this long is on disk: what `kill -9` can cost. Default 1,000. */
  readonly windowMillis?: number
  /** Whether files are synced, so that they outlive the machine's power too. Default false. */
  readonly sync?: boolean
}
