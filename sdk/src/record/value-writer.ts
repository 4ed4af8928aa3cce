import type { Limits } from '../options/settings.ts'
import { describeError, isError } from './error.ts'
import { AnyValue, ELEMENT, KeyValue } from './fields.ts'
import { KeyCache } from './keys.ts'
import { CIRCULAR, DEEP_ARRAY, DEEP_OBJECT, more, REST, THROWS } from './markers.ts'
import { read } from './read.ts'
import type { PathState } from './redact/paths.ts'
import type { Redaction } from './redact/redaction.ts'
import { ScalarWriter } from './scalar-writer.ts'
import type { WireWriter } from './wire-writer.ts'
import type { Words } from './words.ts'

/** Writes what JavaScript has as `AnyValue`. Whatever an object does when it is read, what is written is whole. */
export class ValueWriter {
  readonly out: WireWriter
  readonly scalars: ScalarWriter
  readonly keys: KeyCache
  readonly #limits: Limits
  readonly #redaction: Redaction | undefined
  readonly #ancestors: object[] = []
  readonly #path: string[] = []

  constructor(out: WireWriter, limits: Limits, redaction: Redaction | undefined) {
    this.out = out
    this.#limits = limits
    this.#redaction = redaction
    this.scalars = new ScalarWriter(out, limits.valueLength, redaction?.masks)
    this.keys = new KeyCache(redaction?.masks)
  }

  /** Begins a record that must end at `end`. */
  begin(end: number): void {
    this.scalars.end = end
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
    if (this.scalars.field(tag, key, value)) return
    const { out } = this
    const start = out.open(tag)
    out.words(key)
    const any = out.open(KeyValue.value)
    this.value(value, state)
    out.close(any)
    out.close(start)
  }

  /** Writes the content of an AnyValue: nothing for `null`. */
  value(value: unknown, state: PathState | undefined): void {
    switch (typeof value) {
      case 'string':
        return this.scalars.text(value)
      case 'number':
        return this.scalars.number(value)
      case 'boolean':
        return this.scalars.boolean(value)
      case 'bigint':
        return this.scalars.bigint(value)
      case 'object':
        if (value !== null) this.#object(value, state)
        return
      case 'symbol':
        return this.scalars.text(String(value))
      case 'function':
        return this.#function(value)
      case 'undefined':
    }
  }

  #function(value: object): void {
    const name = read(value, 'name')
    this.scalars.text(`[Function: ${typeof name === 'string' ? name : ''}]`)
  }

  #object(value: object, state: PathState | undefined): void {
    const { out } = this
    const ancestors = this.#ancestors
    if (ancestors.includes(value)) return this.scalars.plainText(CIRCULAR)
    const start = out.pos
    const depth = ancestors.length
    const pathDepth = this.#path.length
    ancestors.push(value)
    try {
      this.#content(value, state)
    } catch {
      out.pos = start
      this.#path.length = pathDepth
      this.scalars.plainText(THROWS)
    }
    ancestors.length = depth
  }

  #content(value: object, state: PathState | undefined): void {
    if (Array.isArray(value)) return this.#array(value, value.length, state)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null && this.#special(value, state)) return
    const toJson: unknown = (value as { toJSON?: unknown }).toJSON
    if (typeof toJson !== 'function') this.#entries(value, state)
    else if (this.#isDeep) this.scalars.plainText(DEEP_OBJECT)
    else this.value(toJson.call(value, ''), state)
  }

  /** What is more than its own properties; false where it is not. */
  #special(value: object, state: PathState | undefined): boolean {
    if (ArrayBuffer.isView(value)) {
      this.scalars.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    } else if (value instanceof Date) {
      this.scalars.plainText(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString())
    } else if (isError(value)) {
      this.#entries(describeError(value), state)
    } else if (value instanceof Map) {
      this.#map(value, state)
    } else if (value instanceof Set) {
      this.#array(value, value.size, state)
    } else if (value instanceof URL) {
      this.scalars.text(value.href)
    } else if (value instanceof RegExp) {
      this.scalars.text(String(value))
    } else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      this.scalars.bytes(new Uint8Array(value))
    } else {
      const primitive = unboxed(value)
      if (primitive === undefined) return false
      this.value(primitive, undefined)
    }
    return true
  }

  get #isDeep(): boolean {
    return this.#ancestors.length > this.#limits.depth
  }

  #array(values: Iterable<unknown>, length: number, state: PathState | undefined): void {
    if (this.#isDeep) return this.scalars.plainText(DEEP_ARRAY)
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
    return count === this.#limits.elements || this.scalars.isFull
  }

  #map(map: ReadonlyMap<unknown, unknown>, state: PathState | undefined): void {
    if (this.#isDeep) return this.scalars.plainText(DEEP_OBJECT)
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
    if (this.#isDeep) return this.scalars.plainText(DEEP_OBJECT)
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
