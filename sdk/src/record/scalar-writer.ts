import { Buffer } from 'node:buffer'
import { cutText } from './cut.ts'
import { AnyValue, KeyValue } from './fields.ts'
import { TRUNCATED } from './markers.ts'
import type { Masks } from './redact/detectors.ts'
import { varintSize } from './varint.ts'
import type { WireWriter } from './wire-writer.ts'
import type { Words } from './words.ts'

/** Of the longest header of a field and a marker. */
const OVERHEAD = 48
/** How much of a text after the cut is looked at, so that a secret that is cut is found. */
const OVERLAP = 512

/** Writes the values of AnyValue that hold no others: cut to their limits, masked, and within what is left of the record. */
export class ScalarWriter {
  readonly out: WireWriter
  /** Where what is written must end. */
  end = 0
  /** Of a text in UTF-16 units, of bytes in bytes. */
  readonly #limit: number
  readonly #masks: Masks | undefined

  constructor(out: WireWriter, limit: number, masks: Masks | undefined) {
    this.out = out
    this.#limit = limit
    this.#masks = masks
  }

  /** Whether nothing more fits that is worth beginning. */
  get isFull(): boolean {
    return !this.hasRoom(OVERHEAD)
  }

  hasRoom(size: number): boolean {
    return this.out.pos + size <= this.end
  }

  /** A KeyValue whose lengths are known before it is written, as most are; false where it is not one of these. */
  field(tag: number, key: Words, value: unknown): boolean {
    if (typeof value === 'string') return this.#asciiField(tag, key, value)
    if (typeof value === 'number') return this.#numberField(tag, key, value)
    if (typeof value !== 'boolean') return false
    this.out.pair(tag, key, KeyValue.value, 2)
    this.boolean(value)
    return true
  }

  #numberField(tag: number, key: Words, value: number): boolean {
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

  #asciiField(tag: number, key: Words, value: string): boolean {
    const { length } = value
    if (this.#masks !== undefined || length > this.#limit) return false
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

  boolean(value: boolean): void {
    this.out.byte(AnyValue.boolValue)
    this.out.byte(value ? 1 : 0)
  }

  /** A text of at most `limit` UTF-16 units, and as much of it as the record has room for. */
  text(value: string, limit = this.#limit): void {
    const { out } = this
    out.byte(AnyValue.stringValue)
    out.text(this.#fit(this.#masked(value, limit)))
  }

  #masked(value: string, limit: number): string {
    const masks = this.#masks
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

  number(value: number): void {
    const { out } = this
    if (!Number.isSafeInteger(value)) {
      out.byte(AnyValue.doubleValue)
      return out.double(value)
    }
    const masked = this.#masks?.integer(value)
    if (masked !== undefined) return this.plainText(masked)
    out.byte(AnyValue.intValue)
    out.int64(value)
  }

  /** An integer that int64 cannot hold is written as text. */
  bigint(value: bigint): void {
    const { out } = this
    const masked = this.#masks?.integer(value)
    if (masked !== undefined) return this.plainText(masked)
    if (BigInt.asIntN(64, value) !== value) return this.plainText(String(value))
    out.byte(AnyValue.intValue)
    out.bigint64(value)
  }

  /** A text that is ours. */
  plainText(value: string): void {
    this.out.byte(AnyValue.stringValue)
    this.out.text(value)
  }

  bytes(value: Uint8Array): void {
    const { out } = this
    const room = Math.max(0, this.end - out.pos - OVERHEAD)
    const size = Math.min(value.length, this.#limit, room)
    out.byte(AnyValue.bytesValue)
    out.varint(size)
    out.copy(value, 0, size)
  }
}
