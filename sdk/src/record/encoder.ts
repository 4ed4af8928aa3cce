import type { RecordSettings } from '../options/settings.ts'
import type { AttributeBlock } from './attribute-block.ts'
import type { Clock } from './clock.ts'
import type { CodeLocation } from './code.ts'
import { cutText } from './cut.ts'
import { causesOf, errorType, isError, propertiesOf, stacktraceOf } from './error.ts'
import { AnyValue, KeyValue, LogRecord } from './fields.ts'
import { REST, THROWS } from './markers.ts'
import { read, readText } from './read.ts'
import { Redaction } from './redact/redaction.ts'
import type { Severity } from './severity.ts'
import { ULID_LENGTH, type UlidSource } from './ulid.ts'
import { ValueWriter } from './value-writer.ts'
import { WireWriter } from './wire-writer.ts'

/** Kept free for a long key and the fields after the attributes. */
const TRAILER = 1024
/** Kept free for each level of nested values: its length, and the marker of what is left out. */
const LEVEL = 64
const MAX_EVENT_NAME = 256
const UID = 'log.record.uid'

/** One record before it is bytes. */
export interface RecordParts {
  readonly severity: Severity
  /** None when undefined. */
  readonly body: unknown
  /** Its own enumerable properties are attributes; of an `err` or `error` that is an Error, `exception.*` are. */
  readonly fields: object | undefined
  /** What `exception.*` tell of, before an error in `fields`. */
  readonly error: Error | undefined
  /** Where the call stands. */
  readonly code: CodeLocation | undefined
  /** Come after the fields, and only those whose keys the fields do not have. */
  readonly bindings: AttributeBlock | undefined
  /** As the bindings, after them. */
  readonly shared: AttributeBlock | undefined
  /** The fields flags, trace_id and span_id. */
  readonly trace: Uint8Array | undefined
  readonly eventName: string | undefined
  /** When it happened, in nanoseconds, where that is not now. */
  readonly time: bigint | undefined
}

/** Writes records as `opentelemetry.proto.logs.v1.LogRecord`, one after the other into the same buffer. */
export class RecordEncoder {
  /** Holds the record, from 0 to `out.pos`. */
  readonly out = new WireWriter()
  readonly #settings: RecordSettings
  readonly #redaction: Redaction
  readonly #clock: Clock
  readonly #ulids: UlidSource
  readonly #values: ValueWriter
  #count = 0
  #dropped = 0

  /** @param ulids Makes `log.record.uid`. */
  constructor(settings: RecordSettings, redaction: Redaction, clock: Clock, ulids: UlidSource) {
    this.#settings = settings
    this.#redaction = redaction
    this.#clock = clock
    this.#ulids = ulids
    this.#values = new ValueWriter(this.out, settings.limits, redaction)
  }

  /** Whatever the values do when they are read, what is written is a whole record. */
  encode(record: RecordParts): void {
    const { out } = this
    this.#begin(record)
    if (record.body !== undefined) this.#body(record.body)
    if (record.eventName !== undefined) {
      out.byte(LogRecord.eventName)
      out.text(cutText(record.eventName, MAX_EVENT_NAME))
    }
    const { fields } = record
    if (this.#settings.uid && !owns(fields, UID)) this.#uid()
    if (record.error !== undefined) this.#exception(record.error, 'err', fields)
    if (record.code !== undefined) this.#code(record.code, fields)
    if (fields !== undefined) this.#fields(fields, record.error !== undefined)
    const { bindings, shared } = record
    if (bindings !== undefined) this.#block(bindings, fields, undefined)
    if (shared !== undefined) this.#block(shared, fields, bindings)
    if (this.#dropped > 0) {
      out.byte(LogRecord.droppedAttributesCount)
      out.varint(this.#dropped)
    }
    if (record.trace !== undefined) out.copy(record.trace)
  }

  /** Encodes the properties of an object as attributes that records are given later. */
  block(source: object): AttributeBlock {
    const { out } = this
    this.#reset()
    const keys: string[] = []
    const ends: number[] = []
    for (const key of keysOf(source) ?? []) {
      const before = this.#count
      this.#attribute(key, read(source, key))
      if (this.#count === before) continue
      keys.push(key)
      ends.push(out.pos)
    }
    return { keys, ends, bytes: out.slice(0) }
  }

  #reset(): void {
    const { limits } = this.#settings
    this.out.reset()
    this.#values.begin(limits.recordBytes - TRAILER - LEVEL * (limits.depth + 1))
    this.#count = 0
    this.#dropped = 0
  }

  #begin({ severity, time }: RecordParts): void {
    const { out } = this
    const clock = this.#clock
    this.#reset()
    clock.read()
    out.byte(LogRecord.timeUnixNano)
    if (time === undefined) out.fixed64(clock.low, clock.high)
    else out.fixed64(Number(time & 0xffffffffn), Number((time >> 32n) & 0xffffffffn))
    out.byte(LogRecord.observedTimeUnixNano)
    out.fixed64(clock.low, clock.high)
    if (this.#settings.uid) this.#ulids.next(clock.millis)
    out.words(severity.fields)
  }

  #body(body: unknown): void {
    const { scalars } = this.#values
    const { end } = scalars
    // However long the body is, attributes have room.
    scalars.end = end / 2
    const start = this.out.open(LogRecord.body)
    if (typeof body === 'string') scalars.text(body, this.#settings.limits.bodyLength)
    else this.#values.value(body, this.#redaction.root)
    this.out.close(start)
    scalars.end = end
  }

  #uid(): void {
    const { out } = this
    out.pair(LogRecord.attributes, this.#values.keys.words(UID), KeyValue.value, ULID_LENGTH + 2)
    out.byte(AnyValue.stringValue)
    out.byte(ULID_LENGTH)
    out.copy(this.#ulids.text)
    this.#count++
  }

  #attribute(key: string, value: unknown): void {
    if (this.#isFull()) this.#dropped++
    else if (this.#values.keyValue(LogRecord.attributes, key, value, this.#redaction.root)) this.#count++
  }

  #isFull(): boolean {
    return this.#count >= this.#settings.limits.attributes || this.#values.scalars.isFull
  }

  #fields(fields: object, hasException: boolean): void {
    let told = hasException
    const keys = keysOf(fields)
    if (keys === undefined) return this.#attribute(REST, THROWS)
    const values = this.#values
    const { root } = this.#redaction
    const { attributes } = this.#settings.limits
    for (let i = 0; i < keys.length; i++) {
      if (this.#count >= attributes || values.scalars.isFull) {
        this.#dropped += keys.length - i
        return
      }
      const key = keys[i]
      const value = read(fields, key)
      if (!told && isErrorKey(key) && isError(value) && !this.#isRedacted(key)) {
        told = true
        this.#exception(value, key, fields)
      } else if (values.keyValue(LogRecord.attributes, key, value, root)) {
        this.#count++
      }
    }
  }

  #isRedacted(key: string): boolean {
    return this.#redaction.root?.next(key)?.redacts === true
  }

  /**
   * Semantic conventions, "Exceptions in logs". The caller's attributes of the same names win.
   *
   * @param key Where the error's own properties stand in the paths of redaction.
   */
  #exception(error: Error, key: string, fields: object | undefined): void {
    const tell = (name: string, value: unknown): void => {
      if (value !== undefined && !owns(fields, name)) this.#attribute(name, value)
    }
    tell('exception.type', errorType(error))
    tell('exception.message', readText(error, 'message'))
    tell('exception.stacktrace', stacktraceOf(error))
    tell('exception.causes', causesOf(error))
    const properties = propertiesOf(error)
    if (properties === undefined || this.#isFull()) return
    this.#count++
    const { root } = this.#redaction
    this.#values.keyValueAt(LogRecord.attributes, 'exception.properties', properties, root, key)
  }

  #code(code: CodeLocation, fields: object | undefined): void {
    for (const [name, value] of Object.entries(code)) if (!owns(fields, name)) this.#attribute(name, value)
  }

  #block(block: AttributeBlock, fields: object | undefined, before: AttributeBlock | undefined): void {
    const { keys, ends, bytes } = block
    const isOver = (key: string): boolean => owns(fields, key) || before?.keys.includes(key) === true
    const { attributes } = this.#settings.limits
    if (
      this.#count + keys.length <= attributes &&
      this.#values.scalars.hasRoom(bytes.length) &&
      !keys.some(isOver)
    ) {
      this.out.copy(bytes)
      this.#count += keys.length
      return
    }
    for (let i = 0, start = 0; i < keys.length; start = ends[i++]) {
      if (isOver(keys[i])) continue
      if (this.#count >= attributes || !this.#values.scalars.hasRoom(ends[i] - start)) this.#dropped++
      else {
        this.out.copy(bytes, start, ends[i])
        this.#count++
      }
    }
  }
}

function isErrorKey(key: string): boolean {
  return key === 'err' || key === 'error'
}

/** Undefined where a proxy does not tell. */
function keysOf(source: object): string[] | undefined {
  try {
    return Object.keys(source)
  } catch {
    return undefined
  }
}

/** Whether the fields of a record have such an attribute. */
function owns(fields: object | undefined, key: string): boolean {
  if (fields === undefined) return false
  try {
    return Object.hasOwn(fields, key) && read(fields, key) !== undefined
  } catch {
    return false
  }
}
