import type { WireWriter } from '../wire-writer.ts'
import { type JsonReader, MINUS, QUOTE } from './reader.ts'

/** Writes the value at the reader's cursor as a protobuf field. */
export type WriteField = (reader: JsonReader, writer: WireWriter, tag: number) => void

const INTEGER = /^-?\d{1,20}$/
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/
/** More digits than this may not fit a number exactly. */
const SAFE_DIGITS = 15

const INT64 = { name: 'a 64-bit integer', min: -(2n ** 63n), max: 2n ** 63n - 1n }
const UINT64 = { name: 'an unsigned 64-bit integer', min: 0n, max: 2n ** 64n - 1n }
const UINT32 = { name: 'an unsigned 32-bit integer', min: 0n, max: 2n ** 32n - 1n }
const INT32 = { name: 'a severity number or its name', min: -(2n ** 31n), max: 2n ** 31n - 1n }

export const writeText: WriteField = (reader, writer, tag) => {
  reader.string()
  writer.field(tag, reader.source, reader.start, reader.end)
}

export const writeBool: WriteField = (reader, writer, tag) => {
  const value = reader.boolean()
  writer.varint(tag)
  writer.varint(value ? 1 : 0)
}

export const writeInt64: WriteField = (reader, writer, tag) => {
  const value = integer(reader, INT64)
  writer.varint(tag)
  writeVarint(writer, value)
}

export const writeFixed64: WriteField = (reader, writer, tag) => {
  const value = integer(reader, UINT64)
  writer.varint(tag)
  writer.fixed64(BigInt(value))
}

export const writeUint32: WriteField = (reader, writer, tag) => {
  const value = integer(reader, UINT32)
  writer.varint(tag)
  writer.varint(Number(value))
}

export const writeFixed32: WriteField = (reader, writer, tag) => {
  const value = integer(reader, UINT32)
  writer.varint(tag)
  writer.fixed32(Number(value))
}

/** As a number; as a string too for what JSON numbers lack, `NaN` and the infinities. */
export const writeDouble: WriteField = (reader, writer, tag) => {
  let value: number
  if (reader.peek() === QUOTE) {
    reader.string()
    const text = reader.text()
    if (text !== 'NaN' && text !== 'Infinity' && text !== '-Infinity' && !NUMBER.test(text)) {
      throw reader.failure('expected a number, "NaN", "Infinity" or "-Infinity"')
    }
    value = Number(text)
  } else {
    number(reader, 'a number')
    value = Number(reader.text())
  }
  writer.varint(tag)
  writer.double(value)
}

/** Base64, the URL-safe alphabet and missing padding allowed. */
export const writeBase64: WriteField = (reader, writer, tag) => {
  reader.string()
  const text = reader.source.toString('latin1', reader.start, reader.end)
  if (!BASE64.test(text) || text.replace(/=+$/, '').length % 4 === 1) throw reader.failure('expected base64')
  writer.field(tag, Buffer.from(text, 'base64'))
}

/** A trace or span id: OTLP/JSON has them in hexadecimal, not base64; empty means none. */
export function writeHex(size: number): WriteField {
  return (reader, writer, tag) => {
    reader.string()
    const { source, start, end } = reader
    const digits = end - start
    if (digits === 0) return
    if (digits !== size * 2) throw reader.failure(`expected ${size * 2} hex digits`)
    writer.varint(tag)
    writer.varint(size)
    writer.reserve(size)
    for (let at = start; at < end; at += 2) {
      const byte = (hexDigit(source[at]) << 4) | hexDigit(source[at + 1])
      if (byte < 0) throw reader.failure(`expected ${size * 2} hex digits`)
      writer.bytes[writer.pos++] = byte
    }
  }
}

/** A SeverityNumber: OTLP/JSON has enums as integers only, and the names that some clients send are understood. */
export const writeSeverity: WriteField = (reader, writer, tag) => {
  let value: number | bigint | undefined
  if (reader.peek() === QUOTE) {
    reader.string()
    value = SEVERITIES.get(reader.text())
    if (value === undefined) throw reader.failure(`expected ${INT32.name}`)
  } else value = integer(reader, INT32)
  writer.varint(tag)
  writeVarint(writer, value)
}

const SEVERITIES: ReadonlyMap<string, number> = new Map([
  ['SEVERITY_NUMBER_UNSPECIFIED', 0],
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((word, group) =>
    ['', '2', '3', '4'].map((suffix, step): [string, number] => [
      `SEVERITY_NUMBER_${word}${suffix}`,
      1 + group * 4 + step,
    ]),
  ),
])

/** An integer as a number or, as OTLP/JSON has those of 64 bits, in a string; a bigint where a number may not hold it. */
function integer(reader: JsonReader, range: typeof INT64): number | bigint {
  const quoted = reader.peek() === QUOTE
  if (quoted) reader.string()
  else number(reader, range.name)
  const { start, end } = reader
  const value = end - start <= SAFE_DIGITS ? shortInteger(reader) : undefined
  if (value !== undefined && value >= range.min && value <= range.max) return value
  const text = reader.text()
  if (INTEGER.test(text)) {
    const exact = BigInt(text)
    if (exact >= range.min && exact <= range.max) return exact
  } else if (!quoted) {
    // A whole number written with a fraction or an exponent, such as 1.0 or 1e3.
    const float = Number(text)
    if (Number.isInteger(float) && float >= range.min && float <= range.max) return BigInt(float)
  }
  throw reader.failure(`expected ${range.name}`)
}

/** Digits with or without a sign; undefined where it is anything else. */
function shortInteger({ source, start, end }: JsonReader): number | undefined {
  const negative = source[start] === MINUS
  let at = negative ? start + 1 : start
  if (at === end) return undefined
  let value = 0
  for (; at < end; at++) {
    const digit = source[at] - 0x30
    if (!(digit >= 0 && digit <= 9)) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}

function number(reader: JsonReader, expected: string): void {
  const byte = reader.peek()
  if (byte !== MINUS && !(byte >= 0x30 && byte <= 0x39)) throw reader.failure(`expected ${expected}`)
  reader.number()
}

function writeVarint(writer: WireWriter, value: number | bigint): void {
  if (typeof value === 'number' && value >= 0) writer.varint(value)
  else writer.int64(BigInt(value))
}

/** The value of a hex digit; negative, even after a shift and an or, where it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
