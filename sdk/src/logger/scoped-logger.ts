import { traceBytes } from '../context/trace-bytes.ts'
import { parseTraceparent } from '../context/traceparent.ts'
import type { Scope } from '../pipe/sink.ts'
import { type AttributeBlock, mergeBlocks } from '../record/attribute-block.ts'
import { locate } from '../record/code.ts'
import { THROWS } from '../record/markers.ts'
import { nanosOfMillis } from '../record/nanos.ts'
import type { Severity } from '../record/severity.ts'
import { readCall } from './call.ts'
import type { EventMap } from './events.ts'
import { effectiveThreshold, levelChanges, type SetLevel, setNow } from './level-registry.ts'
import {
  type Level,
  levelNumber,
  levelOf,
  SEVERITIES,
  severityNamed,
  type Threshold,
  thresholdOf,
} from './levels.ts'
import type { ChildOptions, EventOptions, ForeignRecord, Logger, LogMethod } from './logger.ts'
import type { Said } from './recorder.ts'
import type { Root } from './root-logger.ts'
import { validate } from './standard-schema.ts'

/** A logger of one scope, with the attributes that it gives its records. */
export class ScopedLogger<Events extends EventMap> implements Logger<Events> {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  readonly #root: Root
  readonly #scope: Scope
  readonly #bindings: AttributeBlock | undefined
  #own: SetLevel
  #threshold = 0
  /** The change of levels that `#threshold` takes into account. */
  #seen = -1

  constructor(root: Root, scope: Scope, bindings: AttributeBlock | undefined, level: SetLevel) {
    this.#root = root
    this.#scope = scope
    this.#bindings = bindings
    this.#own = level
    this.trace = this.#method(SEVERITIES.trace)
    this.debug = this.#method(SEVERITIES.debug)
    this.info = this.#method(SEVERITIES.info)
    this.warn = this.#method(SEVERITIES.warn)
    this.error = this.#method(SEVERITIES.error)
    this.fatal = this.#method(SEVERITIES.fatal)
  }

  get name(): string {
    return this.#scope.name
  }

  get level(): Threshold {
    return levelOf(this.#currentThreshold())
  }

  set level(level: Threshold) {
    const threshold = thresholdOf(level)
    if (threshold === undefined)
      this.#root.diagnostics.warn('level', 'a level that does not exist was not set')
    else this.#own = setNow(threshold)
  }

  isLevelEnabled(level: Level): boolean {
    return this.enabled(level)
  }

  enabled(severity: Level | number): boolean {
    const number = typeof severity === 'number' ? severity : levelNumber(severity)
    return number !== undefined && this.#passes(number)
  }

  child(bindings: object, options?: ChildOptions): Logger<Events> {
    try {
      const threshold = thresholdOf(options?.level)
      const { name, version } = options ?? {}
      return new ScopedLogger<Events>(
        this.#root,
        name === undefined
          ? this.#scope
          : this.#root.scope(String(name), version === undefined ? undefined : String(version)),
        this.#bindingsWith(bindings),
        threshold === undefined ? this.#own : { threshold, order: 0 },
      )
    } catch {
      this.#root.diagnostics.warn('child', 'the options of a child logger cannot be read: using its parent')
      return this
    }
  }

  #bindingsWith(bindings: object): AttributeBlock | undefined {
    try {
      const block = this.#root.recorder.block(bindings)
      return block.keys.length === 0 ? this.#bindings : mergeBlocks(this.#bindings, block)
    } catch {
      this.#root.diagnostics.warn(
        'child',
        'the bindings of a child logger could not be read, and were left out',
      )
      return this.#bindings
    }
  }

  event(name: string, fields?: object, options?: EventOptions): void {
    try {
      const severity = severityNamed(options?.level) ?? SEVERITIES.info
      if (!this.#passes(severity.number)) return
      const eventName = String(name)
      this.#record({
        severity,
        body: options?.message,
        eventName,
        fields: this.#eventFields(eventName, asObject(fields)),
      })
    } catch {
      this.#recordUnreadable(SEVERITIES.info)
    }
  }

  /** As the schema of the event makes them. */
  #eventFields(name: string, fields: object | undefined): object | undefined {
    const { schemas, diagnostics } = this.#root
    const schema = schemas.get(name)
    if (schema === undefined) return fields
    try {
      const result = validate(schema, fields)
      if (result === 'later')
        diagnostics.warn('schema', `the schema of event ${name} answers later: it is not used`)
      else if (result.invalid === undefined) return asObject(result.fields)
      else return { ...fields, 'event.invalid': result.invalid }
    } catch {
      diagnostics.warn('schema', `the schema of event ${name} threw: the event was logged as it is`)
    }
    return fields
  }

  emit(record: ForeignRecord): void {
    try {
      const { severityText, body, fields, error, time, traceparent, eventName } = record
      const severity = severityNamed(record.severity, severityText)
      if (severity === undefined || !this.#passes(severity.number)) return
      const trace = traceparent === undefined ? undefined : parseTraceparent(traceparent)
      this.#record({
        severity,
        body,
        fields,
        error,
        eventName,
        time: time === undefined ? undefined : nanosOf(time),
        trace: trace && traceBytes(trace),
      })
    } catch {
      this.#recordUnreadable(SEVERITIES.info)
    }
  }

  flush(timeoutMillis?: number): Promise<boolean> {
    return this.#root.sink.flush(timeoutMillis).catch(() => false)
  }

  shutdown(timeoutMillis?: number): Promise<boolean> {
    return this.#root.sink.shutdown(timeoutMillis).catch(() => false)
  }

  /** A function of its own, so that it can be passed on without the logger. */
  #method(severity: Severity): LogMethod {
    const method = (first: unknown, ...rest: unknown[]): void => {
      try {
        if (!this.#passes(severity.number)) return
        const { code, recorder } = this.#root
        const said = readCall(first, rest, recorder.json)
        this.#record({ ...said, severity, code: code ? locate(method) : undefined })
      } catch {
        this.#recordUnreadable(severity)
      }
      if (severity === SEVERITIES.fatal) void this.flush()
    }
    return method
  }

  /** What the call was made with cannot be read at all: a proxy that was revoked, or there is no stack left to do so. */
  #recordUnreadable(severity: Severity): void {
    if (this.#passes(severity.number)) this.#record({ severity, body: THROWS })
  }

  #record(said: Said): void {
    this.#root.recorder.record(this.#scope, this.#bindings, said)
  }

  #passes(severity: number): boolean {
    return severity >= (this.#seen === levelChanges() ? this.#threshold : this.#currentThreshold())
  }

  #currentThreshold(): number {
    this.#seen = levelChanges()
    this.#threshold = this.#root.disabled
      ? Number.POSITIVE_INFINITY
      : effectiveThreshold(this.#scope.name, this.#own)
    return this.#threshold
  }
}

function asObject(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined
}

/** Nanoseconds of Unix time; undefined for what is no time. */
function nanosOf(time: number | bigint): bigint | undefined {
  if (typeof time === 'bigint') return time
  return Number.isFinite(time) ? nanosOfMillis(time) : undefined
}
