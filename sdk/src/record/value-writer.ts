import { Buffer } from 'node:buffer'
import type { Limits } from '../options/settings.ts'
import { cutText } from './cut.ts'
import { describeError, isError } from './error.ts'
import { AnyValue, ELEMENT, KeyValue } from './fields.ts'
import { KeyCache } from './keys.ts'
import { CIRCULAR, DEEP_ARRAY, DEEP_OBJECT, more, REST, THROWS, TRUNCATED } from './markers.ts'
import { read } from './read.ts'
import type { PathState } from './redact/paths.ts'
import type { Redaction } from './redact/redaction.ts'
import { varintSize, type WireWriter } from './wire-writer.ts'
import type { Words } from './words.ts'

/** Of the longest header of a field and a marker. */
const OVERHEAD = 48
/** How much of a text after the cut is looked at, so that a secret that is cut is found. */
const OVERLAP = 512

/** Writes what JavaScript has as `AnyValue`. Whatever an object does when it is read, what is written is whole. */
export class ValueWriter {
  readonly out: WireWriter
  /** Where what is written must end. */
  end = 0
  readonly keys: KeyCache
  readonly #limits: Limits
  readonly #redaction: Redaction | undefined
  readonly #ancestors: object[] = []
  readonly #path: string[] = []

  constructor(out: WireWriter, limits: Limits, redaction: Redaction | undefined) {
    this.out = out
    this.#limits = limits
    this.#redaction = redaction
    this.keys = new KeyCache(redaction?.masks)
  }

  /** Begins a record that must end at `end`. */
  begin(end: number): void {
    this.end = end
    // Left behind where the stack came to its end.
    if (this.#ancestors.length > 0) this.#ancestors.length = 0
    if (this.#path.length > 0) this.#path.length = 0
  }

  /**
   * Writes a KeyValue; false when there is none: the value is `undefined`, or redaction leaves it out.
   *
   * @param tag Of the KeyValue in what it is a part of.
   * @param parent Where the object that the key belongs to stands in the paths of redaction.
   */
  keyValue(tag: number, key: string, value: unknown, parent: PathState | undefined): boolean {
    if (value === undefined) return false
    const state = parent?.next(key)
    if (state !== undefined) return this.#watchedKeyValue(tag, key, value, state)
    this.#keyValue(tag, this.keys.words(key), value, undefined)
    return true
  }

  /** As `keyValue`, of a key that stands elsewhere in the paths: at `place` in the fields of the record. */
  keyValueAt(tag: number, key: string, value: object, root: PathState | undefined, place: string): void {
    this.#path.push(place)
    this.#keyValue(tag, this.keys.words(key), value, root?.next(place))
    this.#path.pop()
  }

  /** Whether nothing more fits that is worth beginning. */
  get isFull(): boolean {
    return !this.hasRoom(OVERHEAD)
  }

  hasRoom(size: number): boolean {
    return this.out.pos + size <= this.end
  }

  #watchedKeyValue(tag: number, key: string, value: unknown, state: PathState): boolean {
    this.#path.push(key)
    const left = state.redacts ? this.#censored(value) : value
    if (left !== undefined) this.#keyValue(tag, this.keys.words(key), left, state.redacts ? undefined : state)
    this.#path.pop()
    return left !== undefined
  }

  #censored(value: unknown): unknown {
    return this.#redaction?.censored(value, this.#path)
  }

  #keyValue(tag: number, key: Words, value: unknown, state: PathState | undefined): void {
    const { out } = this
    if (typeof value === 'string' && this.#ascii(tag, key, value)) return
    if (typeof value === 'number' && this.#plainNumber(tag, key, value)) return
    if (typeof value === 'boolean') {
      out.pair(tag, key, KeyValue.value, 2)
      return out.boolean(AnyValue.boolValue, value)
    }
    const start = out.open(tag)
    out.words(key)
    const any = out.open(KeyValue.value)
    this.value(value, state)
    out.close(any)
    out.close(start)
  }

  /** A number whose size is known before it is written; false where it is not. */
  #plainNumber(tag: number, key: Words, value: number): boolean {
    const { out } = this
    if (value >= 0 && value <= 0x7fffffff && Number.isInteger(value)) {
      out.pair(tag, key, KeyValue.value, 1 + varintSize(value))
      out.byte(AnyValue.intValue)
      out.varint(value)
      return true
    }
    if (Number.isSafeInteger(value)) return false
    out.pair(tag, key, KeyValue.value, 9)
    out.byte(AnyValue.doubleValue)
    out.double(value)
    return true
  }

  /** A text in ASCII, whose lengths are known before it is written; false where it is none. */
  #ascii(tag: number, key: Words, value: string): boolean {
    const { length } = value
    if (this.#redaction?.masks !== undefined || length > this.#limits.valueLength) return false
    if (!this.hasRoom(key.size + length + OVERHEAD)) return false
    const { out } = this
    const start = out.pos
    out.pair(tag, key, KeyValue.value, 1 + varintSize(length) + length)
    out.byte(AnyValue.stringValue)
    out.varint(length)
    if (out.ascii(value)) return true
    out.pos = start
    return false
  }

  /** Writes the content of an AnyValue: nothing for `null`. */
  value(value: unknown, state: PathState | undefined): void {
    const { out } = this
    switch (typeof value) {
      case 'string':
        return this.text(value, this.#limits.valueLength)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return out.boolean(AnyValue.boolValue, value)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        if (value !== null) this.#object(value, state)
        return
      case 'symbol':
        return this.text(String(value), this.#limits.valueLength)
      case 'function':
        return this.#function(value)
      case 'undefined':
    }
  }

  /** A text of at most `limit` UTF-16 units, and as much of it as the record has room for. */
  text(value: string, limit: number): void {
    const { out } = this
    out.byte(AnyValue.stringValue)
    out.text(this.#fit(this.#masked(value, limit)))
  }

  #masked(value: string, limit: number): string {
    const masks = this.#redaction?.masks
    if (masks === undefined) return cutText(value, limit)
    if (value.length <= limit + OVERLAP) return cutText(masks.text(value), limit)
    // A secret that the slice has cut is in its end, which is not shown however short the rest has become.
    const masked = masks.text(value.slice(0, limit + OVERLAP)).slice(0, -OVERLAP)
    return cutText(masked + TRUNCATED, limit)
  }

  #fit(value: string): string {
    const room = Math.max(0, this.end - this.out.pos - OVERHEAD)
    if (value.length * 3 <= room || Buffer.byteLength(value) <= room) return value
    return cutText(value, Math.floor(room / 3))
  }

  #number(value: number): void {
    const { out } = this
    if (!Number.isSafeInteger(value)) {
      out.byte(AnyValue.doubleValue)
      return out.double(value)
    }
    const masked = this.#redaction?.masks?.integer(value)
    if (masked !== undefined) return this.#plainText(masked)
    out.byte(AnyValue.intValue)
    out.int64(value)
  }

  /** An integer that int64 cannot hold is written as text. */
  #bigint(value: bigint): void {
    const { out } = this
    const masked = this.#redaction?.masks?.integer(value)
    if (masked !== undefined) return this.#plainText(masked)
    if (BigInt.asIntN(64, value) !== value) return this.text(String(value), this.#limits.valueLength)
    out.byte(AnyValue.intValue)
    out.bigint64(value)
  }

  #function(value: object): void {
    const name = read(value, 'name')
    this.text(`[Function: ${typeof name === 'string' ? name : ''}]`, this.#limits.valueLength)
  }

  #plainText(value: string): void {
    this.out.byte(AnyValue.stringValue)
    this.out.text(value)
  }

  #object(value: object, state: PathState | undefined): void {
    const { out } = this
    const ancestors = this.#ancestors
    if (ancestors.includes(value)) return this.#plainText(CIRCULAR)
    const start = out.pos
    const depth = ancestors.length
    const pathDepth = this.#path.length
    ancestors.push(value)
    try {
      this.#content(value, state)
    } catch {
      out.pos = start
      this.#path.length = pathDepth
      this.#plainText(THROWS)
    }
    ancestors.length = depth
  }

  #content(value: object, state: PathState | undefined): void {
    if (Array.isArray(value)) return this.#array(value, value.length, state)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null && this.#special(value, state)) return
    const toJson: unknown = (value as { toJSON?: unknown }).toJSON
    if (typeof toJson !== 'function') this.#entries(value, state)
    else if (this.#isDeep) this.#plainText(DEEP_OBJECT)
    else this.value(toJson.call(value, ''), state)
  }

  /** What is more than its own properties; false where it is not. */
  #special(value: object, state: PathState | undefined): boolean {
    const { valueLength } = this.#limits
    if (ArrayBuffer.isView(value)) {
      this.#bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    } else if (value instanceof Date) {
      this.#plainText(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString())
    } else if (isError(value)) {
      this.#entries(describeError(value), state)
    } else if (value instanceof Map) {
      this.#map(value, state)
    } else if (value instanceof Set) {
      this.#array(value, value.size, state)
    } else if (value instanceof URL) {
      this.text(value.href, valueLength)
    } else if (value instanceof RegExp) {
      this.text(String(value), valueLength)
    } else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      this.#bytes(new Uint8Array(value))
    } else {
      const primitive = unboxed(value)
      if (primitive === undefined) return false
      this.value(primitive, undefined)
    }
    return true
  }

  #bytes(value: Uint8Array): void {
    const { out } = this
    const room = Math.max(0, this.end - out.pos - OVERHEAD)
    const size = Math.min(value.length, this.#limits.valueLength, room)
    out.byte(AnyValue.bytesValue)
    out.varint(size)
    out.copy(value, 0, size)
  }

  get #isDeep(): boolean {
    return this.#ancestors.length > this.#limits.depth
  }

  #array(values: Iterable<unknown>, length: number, state: PathState | undefined): void {
    if (this.#isDeep) return this.#plainText(DEEP_ARRAY)
    const { out } = this
    const start = out.open(AnyValue.arrayValue)
    let index = 0
    for (const value of values) {
      if (this.#isAtEnd(index)) {
        this.#element(more(length - index), undefined)
        break
      }
      this.#watchedElement(index++, value, state)
    }
    out.close(start)
  }

  #watchedElement(index: number, value: unknown, parent: PathState | undefined): void {
    const state = parent?.element(index)
    if (state === undefined) return this.#element(value, undefined)
    this.#path.push(String(index))
    // Without the element the others would move up, so that `remove` leaves an empty one.
    this.#element(state.redacts ? this.#censored(value) : value, state.redacts ? undefined : state)
    this.#path.pop()
  }

  #element(value: unknown, state: PathState | undefined): void {
    const start = this.out.open(ELEMENT)
    this.value(value, state)
    this.out.close(start)
  }

  #isAtEnd(count: number): boolean {
    return count === this.#limits.elements || this.isFull
  }

  #map(map: ReadonlyMap<unknown, unknown>, state: PathState | undefined): void {
    if (this.#isDeep) return this.#plainText(DEEP_OBJECT)
    const { out } = this
    const start = out.open(AnyValue.kvlistValue)
    let count = 0
    for (const [key, value] of map) {
      if (this.#isAtEnd(count)) {
        this.#rest(map.size - count)
        break
      }
      if (this.keyValue(ELEMENT, String(key), value, state)) count++
    }
    out.close(start)
  }

  #entries(value: object, state: PathState | undefined): void {
    if (this.#isDeep) return this.#plainText(DEEP_OBJECT)
    const { out } = this
    const start = out.open(AnyValue.kvlistValue)
    const keys = Object.keys(value)
    let count = 0
    for (let i = 0; i < keys.length; i++) {
      if (this.#isAtEnd(count)) {
        this.#rest(keys.length - i)
        break
      }
      const key = keys[i]
      if (this.keyValue(ELEMENT, key, read(value, key), state)) count++
    }
    out.close(start)
  }

  #rest(count: number): void {
    this.#keyValue(ELEMENT, this.keys.words(REST), more(count), undefined)
  }
}

/** The primitive in a `new String` and its like. */
function unboxed(value: object): string | number | boolean | bigint | undefined {
  if (value instanceof String) return String.prototype.valueOf.call(value)
  if (value instanceof Number) return Number.prototype.valueOf.call(value)
  if (value instanceof Boolean) return Boolean.prototype.valueOf.call(value)
  return value instanceof BigInt ? BigInt.prototype.valueOf.call(value) : undefined
}
