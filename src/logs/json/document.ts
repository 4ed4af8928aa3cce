import { Record, Resource, Scope } from '../wire.ts'
import type { WireWriter } from '../wire-writer.ts'
import { under, writePlainMembers, writePlainValue } from './plain-value.ts'
import { JsonProblem } from './problem.ts'
import type { JsonReader } from './reader.ts'
import { type WriteField, writeSeverity, writeText, writeUint32 } from './scalars.ts'

/** A time of documents: RFC 3339 in UTC, or milliseconds with nanoseconds after the point. */
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/
const EPOCH_MILLIS = /^(\d{1,14})(?:\.(\d{1,6}))?$/
const HEX = /^(?:[0-9a-f]{2})*$/i
const LEFT_BRACE = 0x7b
const LEFT_BRACKET = 0x5b
const MAX_UINT64 = 2n ** 64n - 1n

const writeTime: WriteField = (reader, writer, tag) => {
  reader.string()
  const nanos = nanoseconds(reader.text())
  if (nanos === undefined || nanos < 0n || nanos > MAX_UINT64) {
    throw reader.failure('expected a time such as "2026-09-21T14:13:20.123456789Z"')
  }
  writer.varint(tag)
  writer.fixed64(nanos)
}

/** Ids of any size: the document has what the record had. */
const writeHexId: WriteField = (reader, writer, tag) => {
  reader.string()
  const text = reader.text()
  if (!HEX.test(text)) throw reader.failure('expected hex digits')
  writer.field(tag, Buffer.from(text, 'hex'))
}

const writeFlags: WriteField = (reader, writer, tag) => {
  reader.number()
  const flags = Number(reader.text())
  if (!Number.isInteger(flags) || flags < 0 || flags > 255) throw reader.failure('expected 0 to 255')
  writer.varint(tag)
  writer.fixed32(flags)
}

const writeAttributes: WriteField = (reader, writer, tag) => writePlainMembers(reader, writer, tag)

/** `text` is a scalar, `structured` a map or a list of maps, or any other list as the only member `value`. */
const writeBody: WriteField = (reader, writer, tag) => {
  for (let more = reader.firstMember(); more; more = reader.nextMember()) {
    const name = reader.text()
    if (name !== 'text' && name !== 'structured') {
      reader.skip()
      continue
    }
    const list = name === 'structured' ? listIn(reader) : undefined
    if (list === undefined) under(name, () => writePlainValue(reader, writer, tag))
    else {
      reader.pos = list.start
      under('structured.value', () => writePlainValue(reader, writer, tag))
      reader.pos = list.end
    }
  }
}

type Fields = ReadonlyMap<string, readonly [tag: number, write: WriteField]>

const RECORD: Fields = new Map([
  ['@timestamp', [Record.time, writeTime]],
  ['observed_timestamp', [Record.observedTime, writeTime]],
  ['severity_text', [Record.severityText, writeText]],
  ['severity_number', [Record.severityNumber, writeSeverity]],
  ['trace_id', [Record.traceId, writeHexId]],
  ['span_id', [Record.spanId, writeHexId]],
  ['trace_flags', [Record.flags, writeFlags]],
  ['event_name', [Record.eventName, writeText]],
  ['dropped_attributes_count', [Record.droppedAttributesCount, writeUint32]],
  ['attributes', [Record.attributes, writeAttributes]],
  ['body', [Record.body, writeBody]],
])

const RESOURCE: Fields = new Map([
  ['attributes', [Resource.attributes, writeAttributes]],
  ['dropped_attributes_count', [Resource.droppedAttributesCount, writeUint32]],
])

const SCOPE: Fields = new Map([
  ['name', [Scope.name, writeText]],
  ['version', [Scope.version, writeText]],
  ['attributes', [Scope.attributes, writeAttributes]],
  ['dropped_attributes_count', [Scope.droppedAttributesCount, writeUint32]],
])

/** Where an object of a document lies, `[start, end)`; of no length where there is none. */
export interface Range {
  readonly start: number
  readonly end: number
}

const NONE: Range = { start: 0, end: 0 }

/**
 * Reads a document of the mapping mode `otel`, as the file exporter writes it, and writes the fields of its LogRecord. Its
 * `resource` and `scope` are left to `writeResource` and `writeScope`. Unknown members are ignored.
 * @throws MalformedError saying what is wrong and where, as in `attributes.a: not valid JSON: …`
 */
export function writeDocument(reader: JsonReader, writer: WireWriter): { resource: Range; scope: Range } {
  const contexts = { resource: NONE, scope: NONE }
  let hasTime = false
  writeFields(reader, writer, RECORD, (name) => {
    if (name === '@timestamp') hasTime = true
    if (name !== 'resource' && name !== 'scope') return
    reader.peek()
    const start = reader.pos
    reader.skip()
    contexts[name] = { start, end: reader.pos }
  })
  if (!hasTime) throw new JsonProblem('neither a request of OTLP/JSON nor a document with @timestamp')
  return contexts
}

/** Writes the fields of the Resource, and gives the schema URL. */
export function writeResource(reader: JsonReader, writer: WireWriter): string {
  return writeContext(reader, writer, RESOURCE, 'resource')
}

/** Writes the fields of the InstrumentationScope, and gives the schema URL. */
export function writeScope(reader: JsonReader, writer: WireWriter): string {
  return writeContext(reader, writer, SCOPE, 'scope')
}

function writeContext(reader: JsonReader, writer: WireWriter, fields: Fields, step: string): string {
  let url = ''
  under(step, () =>
    writeFields(reader, writer, fields, (name) => {
      if (name !== 'schema_url') return
      reader.string()
      url = reader.text()
    }),
  )
  return url
}

/** Writes the members of the object that are fields; `other` is told of all, and may read the value of one that is none. */
function writeFields(
  reader: JsonReader,
  writer: WireWriter,
  fields: Fields,
  other: (name: string) => void,
): void {
  for (let more = reader.firstMember(); more; more = reader.nextMember()) {
    const name = reader.text()
    const field = fields.get(name)
    const before = reader.pos
    under(name, () => {
      other(name)
      if (field !== undefined) field[1](reader, writer, field[0])
      else if (reader.pos === before) reader.skip()
    })
  }
}

/** Where the list lies that stands for the whole value at the cursor, which does not move: `{"value":["a"]}`. */
function listIn(reader: JsonReader): Range | undefined {
  const { pos } = reader
  try {
    if (reader.peek() !== LEFT_BRACE || !reader.firstMember() || reader.text() !== 'value') return undefined
    if (reader.peek() !== LEFT_BRACKET || isListOfMaps(reader)) return undefined
    const start = reader.pos
    reader.skip()
    return reader.nextMember() ? undefined : { start, end: reader.pos }
  } finally {
    reader.pos = pos
  }
}

/** Whether the list at the cursor, which does not move, holds maps and nothing else. */
function isListOfMaps(reader: JsonReader): boolean {
  const { pos } = reader
  let maps = 0
  try {
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      if (reader.peek() !== LEFT_BRACE) return false
      reader.skip()
      maps++
    }
    return maps > 0
  } finally {
    reader.pos = pos
  }
}

function nanoseconds(text: string): bigint | undefined {
  const [, second, fraction = ''] = RFC3339.exec(text) ?? []
  if (second !== undefined) {
    const ms = Date.parse(`${second}Z`)
    return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
  }
  const [, millis, rest = ''] = EPOCH_MILLIS.exec(text) ?? []
  return millis === undefined ? undefined : BigInt(millis) * 1_000_000n + BigInt(rest.padEnd(6, '0'))
}
