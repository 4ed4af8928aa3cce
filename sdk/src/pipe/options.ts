import type { MeterProvider } from '@opentelemetry/api'
import type { SpillOptions } from '../spill/options.ts'
import type { Destination } from '../transport/destination.ts'
import type { Drop } from './counters.ts'

/** All that the way from an encoded record to the collector needs to know. Durations are milliseconds, sizes bytes. */
export interface PipeOptions {
  /** An encoded `opentelemetry.proto.resource.v1.Resource`; every request begins with it. */
  readonly resource: Uint8Array
  readonly destination: Destination
  readonly batch: BatchOptions
  readonly queue: QueueOptions
  readonly retry: RetryOptions
  /** Where records wait on disk; none without it. */
  readonly spill: SpillOptions | undefined
  /** Whether the pipe flushes by itself on `beforeExit`, signals, uncaught exceptions and `process.exit`. */
  readonly exitHooks: boolean
  /** How long `flush` and `shutdown` take at most where the caller does not say. */
  readonly flushTimeoutMillis: number
  /** Told of drops soon after they happened, those of one reason and severity together. What it throws is ignored. */
  readonly onDrop: ((drop: Drop) => void) | undefined
  readonly diagnostics: Diagnostics
  /** Gets the counters as observable instruments of OpenTelemetry's names for SDKs. */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Called once the application has thrown what nobody caught, while it ends: the last chance to log it. What it
   * throws is ignored.
   */
  readonly onUncaught?: ((error: unknown, origin: string) => void) | undefined
}

/** Takes lines about what is wrong. Never throws. */
export interface Diagnostics {
  /** @param kind A short word; lines of one kind may be held back for a minute. */
  warn(kind: string, message: string): void
}

/** When a batch is sent: whichever comes first. */
export interface BatchOptions {
  readonly maxRecords: number
  readonly maxBytes: number
  /** A record waits no longer than this for others. */
  readonly delayMillis: number
}

/** What is held in memory. */
export interface QueueOptions {
  /** Of all records that are held, those on their way included. */
  readonly maxBytes: number
  /** `Infinity` where only bytes count. */
  readonly maxRecords: number
  /**
   * What happens when the queue is full: `drop` drops the lowest severity first. `spill` writes batches to disk from
   * half the queue on and while the collector is away, and drops only where the disk is full too.
   */
  readonly overflow: 'drop' | 'spill'
}

/** When a batch that the collector did not take is sent again: exponential backoff with full jitter. */
export interface RetryOptions {
  readonly initialMillis: number
  readonly maxMillis: number
  /** A batch is given up, spilled or dropped, after this long. What is on disk is never given up. */
  readonly budgetMillis: number
}
