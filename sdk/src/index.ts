export { type ContextOptions, currentTrace, currentTraceparent, withContext } from './context/context.ts'
export type { TraceContext } from './context/traceparent.ts'
export { createLogger } from './create-logger.ts'
export { defineEvents, type EventDefinitions, type EventMap } from './logger/events.ts'
export { levelRules, setLevel } from './logger/level-registry.ts'
export type { Level, Threshold } from './logger/levels.ts'
export type { ChildOptions, EventOptions, ForeignRecord, Logger, LogMethod } from './logger/logger.ts'
export type { StandardSchema } from './logger/standard-schema.ts'
export type {
  BatchOptions,
  LimitOptions,
  LoggerOptions,
  QueueOptions,
  RedactOptions,
  RetryOptions,
  SpillOptions,
  TlsOptions,
} from './options/options.ts'
export type { Censor, DetectorName } from './options/settings.ts'
export type { Drop, DropReason } from './pipe/counters.ts'
export type { Headers } from './transport/destination.ts'
