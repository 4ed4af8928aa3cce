import type { EventMap } from './events.ts'
import type { Level, Threshold } from './levels.ts'

/**
 * Logs a record: a message, or fields or an error and a message, with placeholders (`%s %d %i %f %j %o %O %%`) as in
 * pino. A function in place of either is only called when the level is logged.
 */
export interface LogMethod {
  (message: string | (() => unknown), ...args: unknown[]): void
  (fieldsOrError: unknown, message?: string | object | (() => string), ...args: unknown[]): void
}

/** How a child differs from its parent. */
export interface ChildOptions {
  /** The level of the child and its children; otherwise the parent's. */
  readonly level?: Threshold
  /** Name of the instrumentation scope, which `setLevel` knows it by; otherwise the parent's. */
  readonly name?: string
  /** Version of the instrumentation scope; with a name of its own, otherwise that of the service. */
  readonly version?: string | undefined
}

/** How an event is logged. */
export interface EventOptions {
  /** `info` without it. */
  readonly level?: Level
  /** The body: an event has none without it. */
  readonly message?: string
}

/** A record that another logging library has made. */
export interface ForeignRecord {
  /** A level, or an OTel severity number from 1 to 24. */
  readonly severity: Level | number
  /** The level as the other library names it; otherwise the one of the severity. */
  readonly severityText?: string | undefined
  readonly body?: unknown
  readonly fields?: object | undefined
  readonly error?: Error | undefined
  /** When it was logged, in milliseconds of Unix time or nanoseconds; otherwise now. */
  readonly time?: number | bigint | undefined
  /** Otherwise the trace of the context. */
  readonly traceparent?: string | undefined
  readonly eventName?: string | undefined
}

/**
 * A logger. Its methods may be passed on by themselves, never throw and never wait.
 *
 * @example
 * ```ts
 * const log = createLogger({ service: 'shop' })
 * log.info({ orderId }, 'order placed')
 * log.error(error, 'payment of %s refused', orderId)
 * log.debug(() => `cart: ${expensive()}`)
 * ```
 */
export interface Logger<Events extends EventMap = EventMap> {
  /** Name of the instrumentation scope. */
  readonly name: string
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  /** Logs, and has everything sent at once. */
  readonly fatal: LogMethod
  /**
   * Logs an event: a record with a name and fields of a known shape.
   *
   * @example
   * ```ts
   * log.event('order.placed', { orderId: '7' })
   * ```
   */
  event<Name extends keyof Events & string>(
    name: Name,
    ...args: undefined extends Events[Name]
      ? [fields?: Events[Name], options?: EventOptions]
      : [fields: Events[Name], options?: EventOptions]
  ): void
  /** Logs what another library has recorded: for bridges. Levels count here too. */
  emit(record: ForeignRecord): void
  /**
   * A logger that gives every record these attributes. They are encoded now: later changes of the objects have no
   * effect.
   *
   * @example
   * ```ts
   * const tenantLog = log.child({ tenant: 'acme' }, { name: 'shop.db' })
   * ```
   */
  child(bindings: object, options?: ChildOptions): Logger<Events>
  /** The lowest level that is logged. May be set at any time; children that exist keep theirs. */
  level: Threshold
  /** Whether a record of this level would be logged: one comparison. */
  isLevelEnabled(level: Level): boolean
  /** As `isLevelEnabled`, also for an OTel severity number. */
  enabled(severity: Level | number): boolean
  /** Resolves once what was logged before is delivered, or with false when the time is up. */
  flush(timeoutMillis?: number): Promise<boolean>
  /** As `flush`; nothing that is logged later is sent. For the end of the application. */
  shutdown(timeoutMillis?: number): Promise<boolean>
}
