import { Buffer } from 'node:buffer'
import { varintSize } from './varint.ts'
import type { Words } from './words.ts'

/** Up to this length a text is copied character by character: a call into the runtime takes longer. */
const SHORT = 12
const MAX_KEPT = 1024 * 1024

/** What `write` of a buffer comes to for UTF-8 once it has looked at its arguments; a third of its time. */
interface Utf8Buffer extends Buffer {
  utf8Write(text: string, at: number, size: number): number
}

/** Writes protobuf into a buffer that grows and is used again for the next message. */
export class WireWriter {
  bytes: Utf8Buffer
  pos = 0
  #view: DataView

  constructor(capacity = 4096) {
    this.bytes = allocate(capacity)
    this.#view = viewOf(this.bytes)
  }

  /** Begins the next message; a buffer that a large one has made is not kept. */
  reset(): void {
    this.pos = 0
    if (this.bytes.length <= MAX_KEPT) return
    this.bytes = allocate(MAX_KEPT)
    this.#view = viewOf(this.bytes)
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.pos + size > this.bytes.length) this.#grow(size)
  }

  #grow(size: number): void {
    const grown = allocate(Math.max(this.bytes.length * 2, this.pos + size))
    grown.set(this.bytes.subarray(0, this.pos))
    this.bytes = grown
    this.#view = viewOf(grown)
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.pos++] = value
  }

  /** An integer from 0 to 2^31 - 1: a tag or a length. */
  varint(value: number): void {
    this.reserve(5)
    while (value >= 0x80) {
      this.bytes[this.pos++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    this.bytes[this.pos++] = value
  }

  /** A safe integer as protobuf's int64: a negative one takes the ten bytes of its two's complement. */
  int64(value: number): void {
    if (value >= 0 && value <= 0x7fffffff) this.varint(value)
    else if (value >= 0) this.#wide(value)
    else this.bigint64(BigInt(value))
  }

  #wide(value: number): void {
    this.reserve(10)
    while (value > 0x7fffffff) {
      this.bytes[this.pos++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    this.varint(value)
  }

  /** As `int64`, for what fits into 64 bits. */
  bigint64(value: bigint): void {
    this.reserve(10)
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.bytes[this.pos++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.bytes[this.pos++] = Number(rest)
  }

  double(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.pos, value, true)
    this.pos += 8
  }

  /** A fixed64 of its two halves. */
  fixed64(low: number, high: number): void {
    this.reserve(8)
    this.#view.setUint32(this.pos, low, true)
    this.#view.setUint32(this.pos + 4, high, true)
    this.pos += 8
  }

  /** Copies bytes that were made ready for it. */
  words({ words, size }: Words): void {
    this.reserve(size + 3)
    const view = this.#view
    // The last word may write over what follows, where nothing is yet.
    for (let i = 0, at = this.pos; i < words.length; i++, at += 4) view.setInt32(at, words[i], true)
    this.pos += size
  }

  /** A message of two fields, up to the content of the second, which takes `size` bytes. */
  pair(tag: number, first: Words, second: number, size: number): void {
    this.reserve(first.size + 16)
    const { bytes } = this
    const total = first.size + 1 + varintSize(size) + size
    bytes[this.pos++] = tag
    if (total < 0x80) bytes[this.pos++] = total
    else this.varint(total)
    this.words(first)
    bytes[this.pos++] = second
    if (size < 0x80) bytes[this.pos++] = size
    else this.varint(size)
  }

  /** Copies `source[start, end)` as it is. */
  copy(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start
    this.reserve(size)
    if (size < 64) {
      const { bytes } = this
      for (let from = start, to = this.pos; from < end; ) bytes[to++] = source[from++]
    } else {
      this.bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.pos)
    }
    this.pos += size
  }

  /**
   * A text with its length before it. Surrogates that stand alone become U+FFFD, as the protobuf specification wants
   * UTF-8 to be valid.
   */
  text(value: string): void {
    const start = this.pos
    const guess = varintSize(value.length)
    this.reserve(value.length * 3 + 5)
    this.pos = start + guess
    const size = this.ascii(value) ? value.length : this.bytes.utf8Write(value, this.pos, value.length * 3)
    const needed = varintSize(size)
    if (needed !== guess) this.bytes.copyWithin(start + needed, start + guess, start + guess + size)
    this.pos = start
    this.varint(size)
    this.pos += size
  }

  /** Writes a text without its length where it is ASCII; false, and nothing written, where it is not. */
  ascii(value: string): boolean {
    const size = value.length
    // What is not ASCII takes more bytes than it has UTF-16 units.
    this.reserve(size * 3)
    const { bytes } = this
    let at = this.pos
    if (size > SHORT) {
      if (bytes.utf8Write(value, at, size * 3) !== size) return false
      this.pos += size
      return true
    }
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      bytes[at++] = code
    }
    this.pos = at
    return true
  }

  /** Begins a length-delimited field whose size is not known yet; pass the result to `close`. */
  open(tag: number): number {
    this.reserve(2)
    this.bytes[this.pos++] = tag
    this.pos++
    return this.pos
  }

  /** Ends the field that `open` began: writes its length before it, moving it up where that takes more than a byte. */
  close(start: number): void {
    const size = this.pos - start
    if (size < 0x80) {
      this.bytes[start - 1] = size
      return
    }
    const extra = varintSize(size) - 1
    this.reserve(extra)
    this.bytes.copyWithin(start + extra, start, this.pos)
    this.pos = start - 1
    this.varint(size)
    this.pos += size
  }

  /** A copy of what was written from `start` on. */
  slice(start: number): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.pos - start)
    copy.set(this.bytes.subarray(start, this.pos))
    return copy
  }
}

function allocate(size: number): Utf8Buffer {
  return Buffer.allocUnsafeSlow(size) as Utf8Buffer
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
