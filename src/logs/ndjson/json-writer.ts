import { readInt64 } from '../any-value.ts'
import { KeyValueSpan } from '../key-value.ts'
import { AnyValue, LIST_ITEM, MAX_DEPTH, viewOf, type WireReader } from '../wire.ts'
import { writeDigits, writeWhole } from './digits.ts'
import { writeDouble } from './double.ts'
import { KeyStack } from './key-stack.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const UNICODE = 0x75

/** For each byte: 0 to write it as it is, or the character after the backslash; `u` means `\u00XX`. */
const ESCAPES = new Uint8Array(256)
ESCAPES.fill(UNICODE, 0, 0x20)
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0)
}

const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Tags up to here are those of a value's members, tags beyond those of fields to come. */
const LAST_MEMBER = AnyValue.stringIndex
/** From here on, four bytes at a time are faster. */
const LONG_TEXT = 24

/** Turns wire bytes into JSON bytes, without a string or an object in between. Grows as needed. */
export class JsonWriter {
  bytes: Buffer
  pos = 0
  #view: DataView
  /** Keys of the objects being written, for finding those that are there twice. */
  readonly #keys = new KeyStack()
  readonly #span = new KeyValueSpan()
  #depth = 0

  /** Writes to `memory` as long as that lasts, or to as many bytes of its own. */
  constructor(memory: Buffer | number) {
    this.bytes = typeof memory === 'number' ? Buffer.allocUnsafeSlow(memory) : memory
    this.#view = viewOf(this.bytes)
  }

  /** Makes room for `size` more bytes. The writes below check nothing: reserve six times what you read, and more. */
  reserve(size: number): void {
    if (this.pos + size <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.pos + size))
    this.bytes.copy(grown, 0, 0, this.pos)
    this.bytes = grown
    this.#view = viewOf(grown)
  }

  /** Takes back what was written since `pos`, wherever in a value it broke off. */
  rewind(pos: number): void {
    this.pos = pos
    this.#depth = 0
    this.#keys.clear()
  }

  byte(value: number): void {
    this.bytes[this.pos++] = value
  }

  /** Bytes that are JSON already. */
  raw(fragment: Uint8Array): void {
    this.bytes.set(fragment, this.pos)
    this.pos += fragment.length
  }

  /** Characters below 128 that need no escape. */
  ascii(text: string): void {
    const { bytes } = this
    let { pos } = this
    for (let i = 0; i < text.length; i++) bytes[pos++] = text.charCodeAt(i)
    this.pos = pos
  }

  /** A whole number from 0 to 2^53. */
  integer(value: number): void {
    if (value > 0x3fffffff) {
      this.ascii(String(value))
      return
    }
    this.pos = writeWhole(this.bytes, this.pos, value)
  }

  /** A whole number of up to 53 bits and a sign. */
  signed(value: number): void {
    if (value < 0) this.byte(MINUS)
    this.integer(Math.abs(value))
  }

  /** A number padded with zeros to a fixed width. */
  digits(value: number, width: number): void {
    writeDigits(this.bytes, this.pos, width, value)
    this.pos += width
  }

  hex(source: Uint8Array, start: number, end: number): void {
    const { bytes } = this
    let { pos } = this
    for (let at = start; at < end; at++) {
      bytes[pos++] = HEX[source[at] >> 4]
      bytes[pos++] = HEX[source[at] & 15]
    }
    this.pos = pos
  }

  /** UTF-8 text as a JSON string; only what JSON demands is escaped (RFC 8259 section 7). */
  text(source: Uint8Array, view: DataView, start: number, end: number): void {
    const { bytes } = this
    let at = start
    let { pos } = this
    bytes[pos++] = QUOTE
    const lastWord = end - start < LONG_TEXT ? -1 : end - 4
    while (at < end) {
      while (at <= lastWord) {
        const word = view.getUint32(at, true)
        const quotes = word ^ 0x22222222
        const slashes = word ^ 0x5c5c5c5c
        const special =
          ((word - 0x20202020) & ~word) |
          ((quotes - 0x01010101) & ~quotes) |
          ((slashes - 0x01010101) & ~slashes)
        if ((special & 0x80808080) !== 0) break
        this.#view.setUint32(pos, word, true)
        at += 4
        pos += 4
      }
      const stop = lastWord === -1 || at + 4 > end ? end : at + 4
      while (at < stop) {
        const byte = source[at++]
        const escape = ESCAPES[byte]
        if (escape === 0) {
          bytes[pos++] = byte
          continue
        }
        bytes[pos++] = BACKSLASH
        bytes[pos++] = escape
        if (escape === UNICODE) {
          bytes[pos++] = ZERO
          bytes[pos++] = ZERO
          bytes[pos++] = HEX[byte >> 4]
          bytes[pos++] = HEX[byte & 15]
        }
      }
    }
    bytes[pos++] = QUOTE
    this.pos = pos
  }

  /** An AnyValue at `[reader.pos, end)`: bytes as hex, an empty value as null. Of several members the last counts. */
  value(reader: WireReader, view: DataView, end: number): void {
    // What comes out of a buffer was checked when it went in, but a stack is too easily exhausted to rely on that.
    if (++this.#depth > MAX_DEPTH) throw reader.tooDeep()
    const start = this.pos
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag <= LAST_MEMBER) this.pos = start
      if (tag === AnyValue.string) {
        const stop = reader.length(end)
        this.text(reader.bytes, view, reader.pos, stop)
        reader.pos = stop
      } else if (tag === AnyValue.int) this.int64(reader, end)
      else if (tag === AnyValue.bool) this.ascii(reader.varint(end) === 0 ? 'false' : 'true')
      else if (tag === AnyValue.double) {
        reader.fixed(8, end)
        this.pos = writeDouble(this.bytes, this.pos, view.getFloat64(reader.pos - 8, true))
      } else if (tag === AnyValue.kvlist) {
        const stop = reader.length(end)
        this.byte(0x7b)
        this.members(reader, view, stop, LIST_ITEM)
        this.byte(0x7d)
      } else if (tag === AnyValue.array) this.#array(reader, view, reader.length(end))
      else if (tag === AnyValue.bytes) {
        const stop = reader.length(end)
        this.byte(QUOTE)
        this.hex(reader.bytes, reader.pos, stop)
        this.byte(QUOTE)
        reader.pos = stop
      } else reader.skip(tag, end)
    }
    if (this.pos === start) this.ascii('null')
    this.#depth--
  }

  /**
   * The KeyValues in the fields `tag` of the message at `[reader.pos, end)`, as members of an object without its
   * braces. Of a key that is there twice the first counts. `skip` names keys to leave out.
   */
  members(
    reader: WireReader,
    view: DataView,
    end: number,
    tag: number,
    skip?: (bytes: Buffer, start: number, end: number) => boolean,
  ): void {
    const { bytes } = reader
    const mark = this.#keys.mark()
    let first = true
    while (reader.pos < end) {
      const found = reader.tag(end)
      if (found !== tag) {
        reader.skip(found, end)
        continue
      }
      const stop = reader.length(end)
      this.#span.read(reader, stop)
      const { keyStart, keyEnd, valueStart, valueEnd } = this.#span
      if (skip?.(bytes, keyStart, keyEnd) || !this.#keys.add(mark, bytes, keyStart, keyEnd)) continue
      if (first) first = false
      else this.byte(COMMA)
      this.text(bytes, view, keyStart, keyEnd)
      this.byte(0x3a)
      reader.pos = valueStart
      this.value(reader, view, valueEnd)
      reader.pos = stop
    }
    this.#keys.release(mark)
  }

  /** The signed integer at `reader.pos`, exact. */
  int64(reader: WireReader, end: number): void {
    const start = reader.pos
    const value = reader.varint(end)
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.integer(value)
      return
    }
    reader.pos = start
    this.ascii(readInt64(reader, end).toString())
  }

  #array(reader: WireReader, view: DataView, end: number): void {
    this.byte(0x5b)
    let first = true
    while (reader.pos < end) {
      const tag = reader.tag(end)
      if (tag !== LIST_ITEM) {
        reader.skip(tag, end)
        continue
      }
      if (first) first = false
      else this.byte(COMMA)
      this.value(reader, view, reader.length(end))
    }
    this.byte(0x5d)
  }
}
