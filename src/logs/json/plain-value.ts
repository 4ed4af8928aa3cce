import { AnyValue, KeyValue, LIST_ITEM, MAX_DEPTH } from '../wire.ts'
import type { WireWriter } from '../wire-writer.ts'
import { JsonProblem } from './problem.ts'
import { type JsonReader, MINUS, QUOTE } from './reader.ts'

const LEFT_BRACE = 0x7b
const LEFT_BRACKET = 0x5b
const ZERO = 0x30
const NINE = 0x39
const LETTER_T = 0x74
const LETTER_F = 0x66
const INTEGER = /^-?\d+$/
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/**
 * Writes any JSON value as an AnyValue in the field `tag`: whole numbers as integers, those with a point or an exponent
 * as doubles, null as an empty value.
 */
export function writePlainValue(reader: JsonReader, writer: WireWriter, tag: number, depth = 1): void {
  if (depth > MAX_DEPTH) throw reader.failure(`values are nested deeper than ${MAX_DEPTH} levels`)
  const value = writer.open(tag)
  const byte = reader.peek()
  if (byte === QUOTE) {
    reader.string()
    writer.field(AnyValue.string, reader.source, reader.start, reader.end)
  } else if (byte === LEFT_BRACE) {
    const list = writer.open(AnyValue.kvlist)
    writePlainMembers(reader, writer, LIST_ITEM, depth + 1)
    writer.close(list)
  } else if (byte === LEFT_BRACKET) {
    const list = writer.open(AnyValue.array)
    let index = 0
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      under(`[${index++}]`, () => writePlainValue(reader, writer, LIST_ITEM, depth + 1))
    }
    writer.close(list)
  } else if (byte === LETTER_T || byte === LETTER_F) {
    writer.varint(AnyValue.bool)
    writer.varint(reader.boolean() ? 1 : 0)
  } else if (!reader.skipNull()) writeNumber(reader, writer)
  writer.close(value)
}

/** Writes the members of a JSON object as KeyValues in fields `tag`. */
export function writePlainMembers(reader: JsonReader, writer: WireWriter, tag: number, depth = 1): void {
  for (let more = reader.firstMember(); more; more = reader.nextMember()) {
    const item = writer.open(tag)
    writer.field(KeyValue.key, reader.source, reader.start, reader.end)
    const key = reader.text()
    under(key, () => writePlainValue(reader, writer, KeyValue.value, depth))
    writer.close(item)
  }
}

/** Puts a step of the path before those of a problem that comes up in `work`. */
export function under(step: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw error instanceof JsonProblem ? error.under(step) : error
  }
}

function writeNumber(reader: JsonReader, writer: WireWriter): void {
  const byte = reader.peek()
  if (byte !== MINUS && !(byte >= ZERO && byte <= NINE)) throw reader.syntax('expected a value')
  reader.number()
  const text = reader.text()
  const whole = INTEGER.test(text) ? BigInt(text) : undefined
  if (whole !== undefined && whole >= INT64_MIN && whole <= INT64_MAX) {
    writer.varint(AnyValue.int)
    writer.int64(whole)
  } else {
    writer.varint(AnyValue.double)
    writer.double(Number(text))
  }
}
