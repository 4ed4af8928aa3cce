/** Bytes a varint of `value` (an integer from 0 to 2^53) takes. */
export function varintSize(value: number): number {
  let size = 1
  while (value >= 0x80) {
    value = Math.floor(value / 0x80)
    size++
  }
  return size
}

/** A growing buffer with the writes that protobuf needs. `take` hands out what was written. */
export class WireWriter {
  bytes: Buffer
  pos = 0

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.pos + size <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.pos + size))
    this.bytes.copy(grown, 0, 0, this.pos)
    this.bytes = grown
  }

  varint(value: number): void {
    this.reserve(10)
    while (value > 0x7fffffff) {
      this.bytes[this.pos++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    while (value >= 0x80) {
      this.bytes[this.pos++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    this.bytes[this.pos++] = value
  }

  /** A 64-bit two's complement varint, as protobuf's int64. */
  int64(value: bigint): void {
    this.reserve(10)
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.bytes[this.pos++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.bytes[this.pos++] = Number(rest)
  }

  fixed32(value: number): void {
    this.reserve(4)
    this.pos = this.bytes.writeUInt32LE(value >>> 0, this.pos)
  }

  fixed64(value: bigint): void {
    this.reserve(8)
    this.pos = this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.pos)
  }

  double(value: number): void {
    this.reserve(8)
    this.pos = this.bytes.writeDoubleLE(value, this.pos)
  }

  /** Copies `source[start, end)` as it is. */
  copy(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start
    this.reserve(size)
    if (size < 64) {
      const { bytes } = this
      for (let from = start, to = this.pos; from < end; ) bytes[to++] = source[from++]
    } else {
      this.bytes.set(source.subarray(start, end), this.pos)
    }
    this.pos += size
  }

  /** A length-delimited field. */
  field(tag: number, value: Uint8Array, start = 0, end = value.length): void {
    this.varint(tag)
    this.varint(end - start)
    this.copy(value, start, end)
  }

  /** A length-delimited field of text. */
  text(tag: number, value: string, encoding: 'utf8' | 'latin1' = 'utf8'): void {
    const size = Buffer.byteLength(value, encoding)
    this.varint(tag)
    this.varint(size)
    this.reserve(size)
    this.pos += this.bytes.write(value, this.pos, size, encoding)
  }

  /** Begins a length-delimited field whose size is not known yet; pass the result to `close`. */
  open(tag: number): number {
    this.varint(tag)
    this.varint(0)
    return this.pos
  }

  /** Ends the field that `open` began: writes its length before it, moving it up where that takes more than a byte. */
  close(start: number): void {
    const size = this.pos - start
    const extra = varintSize(size) - 1
    if (extra > 0) {
      this.reserve(extra)
      this.bytes.copyWithin(start + extra, start, this.pos)
    }
    this.pos = start - 1
    this.varint(size)
    this.pos += size
  }

  /** As `open`, for large messages: the length takes four bytes whatever it is, so nothing has to move. */
  openWide(tag: number): number {
    this.varint(tag)
    this.reserve(4)
    this.pos += 4
    return this.pos
  }

  /** Ends the field that `openWide` began. */
  closeWide(start: number): void {
    let size = this.pos - start
    for (let at = start - 4; at < start - 1; at++) {
      this.bytes[at] = (size & 0x7f) | 0x80
      size >>>= 7
    }
    this.bytes[start - 1] = size
  }

  /** What was written since the start or the last `take`; the writer starts a new buffer. */
  take(): Buffer {
    const written = this.bytes.subarray(0, this.pos)
    this.bytes = Buffer.allocUnsafe(Math.max(1024, this.bytes.length - this.pos))
    this.pos = 0
    return written
  }

  /** A copy of what was written; the writer keeps its buffer for the next message. */
  copyOut(): Buffer {
    const copy = Buffer.from(this.bytes.subarray(0, this.pos))
    this.pos = 0
    return copy
  }
}
