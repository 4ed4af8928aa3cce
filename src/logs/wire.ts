/**
 * The protobuf wire format, as far as OTLP logs need it: varints, fixed 32 and 64 bits, length-delimited.
 * https://protobuf.dev/programming-guides/encoding/
 */

/** The bytes are not a valid OTLP logs request; the message says where and why, never what they hold. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}

export const VARINT = 0
export const FIXED64 = 1
export const LEN = 2
export const FIXED32 = 5

/** Tags (field number and wire type) of the messages in opentelemetry/proto/logs/v1/logs.proto and common.proto. */
export const Request = { resourceLogs: 0x0a } as const
export const ResourceLogs = { resource: 0x0a, scopeLogs: 0x12, schemaUrl: 0x1a } as const
export const Resource = { attributes: 0x0a, droppedAttributesCount: 0x10, entityRefs: 0x1a } as const
/** All of them text, the last two repeated. */
export const EntityRef = { schemaUrl: 0x0a, type: 0x12, idKeys: 0x1a, descriptionKeys: 0x22 } as const
export const ScopeLogs = { scope: 0x0a, logRecords: 0x12, schemaUrl: 0x1a } as const
export const Scope = { name: 0x0a, version: 0x12, attributes: 0x1a, droppedAttributesCount: 0x20 } as const
export const Record = {
  time: 0x09,
  severityNumber: 0x10,
  severityText: 0x1a,
  body: 0x2a,
  attributes: 0x32,
  droppedAttributesCount: 0x38,
  flags: 0x45,
  traceId: 0x4a,
  spanId: 0x52,
  observedTime: 0x59,
  eventName: 0x62,
} as const
/** The indices are for profiles; in logs they stand for nothing. */
export const KeyValue = { key: 0x0a, value: 0x12, keyIndex: 0x18 } as const
export const AnyValue = {
  string: 0x0a,
  bool: 0x10,
  int: 0x18,
  double: 0x21,
  array: 0x2a,
  kvlist: 0x32,
  bytes: 0x3a,
  stringIndex: 0x40,
} as const
/** `values` of both ArrayValue and KeyValueList. */
export const LIST_ITEM = 0x0a

/** Deeper values are refused: 64 levels, as the OTLP specification proposes (opentelemetry-specification#5186). */
export const MAX_DEPTH = 64

/** Bytes of a 32-bit varint; other readers refuse a longer tag even where the rest is zeros. */
const LONGEST_TAG = 5

/** A cursor over wire bytes. Every read is bounded by the end of the message it is in. */
export class WireReader {
  pos: number
  readonly bytes: Buffer

  constructor(bytes: Buffer, pos = 0) {
    this.bytes = bytes
    this.pos = pos
  }

  /** A field's number and wire type. */
  tag(end: number): number {
    const start = this.pos
    const tag = this.varint(end)
    if (tag >>> 3 === 0 || tag > 0xffffffff || this.pos - start > LONGEST_TAG) {
      throw this.malformed('field number out of range')
    }
    return tag
  }

  /** A varint as a number: exact up to 2^53, which covers every tag, length and count. */
  varint(end: number): number {
    const { bytes } = this
    let pos = this.pos
    if (pos >= end) throw this.malformed('a field ends before its value')
    let byte = bytes[pos++]
    if (byte < 0x80) {
      this.pos = pos
      return byte
    }
    let value = byte & 0x7f
    let scale = 0x80
    for (let count = 1; count < 10; count++) {
      if (pos >= end) throw this.malformed('a field ends inside a number')
      byte = bytes[pos++]
      value += (byte & 0x7f) * scale
      scale *= 0x80
      if (byte < 0x80) {
        this.pos = pos
        return value
      }
    }
    throw this.malformed('a number is longer than ten bytes')
  }

  /** The low 32 bits of a varint, signed: how protobuf reads an enum or int32. */
  int32(end: number): number {
    const start = this.pos
    this.varint(end)
    const { bytes } = this
    let value = 0
    for (let pos = start, shift = 0; pos < this.pos && shift < 32; pos++, shift += 7) {
      value |= (bytes[pos] & 0x7f) << shift
    }
    return value
  }

  /** The end of a length-delimited field; the cursor stands at its first byte. */
  length(end: number): number {
    const size = this.varint(end)
    if (size > end - this.pos) {
      throw this.malformed(`a length of ${size} bytes runs past the ${end - this.pos} that are left`)
    }
    return this.pos + size
  }

  fixed(size: 4 | 8, end: number): void {
    if (size > end - this.pos) throw this.malformed('a field ends before its value')
    this.pos += size
  }

  /** Steps over the value of a field nobody here knows. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint(end)
        return
      case FIXED64:
        this.fixed(8, end)
        return
      case LEN:
        this.pos = this.length(end)
        return
      case FIXED32:
        this.fixed(4, end)
        return
      default:
        throw this.malformed(`wire type ${tag & 7} is not used by OTLP`)
    }
  }

  tooDeep(): MalformedError {
    return this.malformed(`values are nested deeper than ${MAX_DEPTH} levels`)
  }

  malformed(problem: string): MalformedError {
    return new MalformedError(`${problem}, at byte ${this.pos}`)
  }
}

/** For reading numbers of several bytes, which need not be aligned. */
export const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
