import {
  AnyValue,
  EntityRef,
  KeyValue,
  LIST_ITEM,
  MAX_DEPTH,
  Record,
  Request,
  Resource,
  ResourceLogs,
  Scope,
  ScopeLogs,
} from '../wire.ts'
import type { WireWriter } from '../wire-writer.ts'
import { JsonProblem } from './problem.ts'
import type { JsonReader } from './reader.ts'
import {
  type WriteField,
  writeBase64,
  writeBool,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeHex,
  writeInt64,
  writeSeverity,
  writeText,
  writeUint32,
} from './scalars.ts'

/** The messages of logs.proto and common.proto: what each member of their JSON objects becomes. */

interface Field {
  readonly name: string
  readonly tag: number
  readonly write: WriteField
}

/** The fields of a message, found by the bytes of their lowerCamelCase name or, tolerated, of their snake_case name. */
class Message {
  readonly #byLength: { readonly key: Buffer; readonly field: Field }[][] = []

  constructor(fields: Readonly<{ [name: string]: readonly [tag: number, write: WriteField] }>) {
    for (const [name, [tag, write]] of Object.entries(fields)) {
      const field = { name, tag, write }
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      for (const key of new Set([name, snake]))
        (this.#byLength[key.length] ??= []).push({ key: Buffer.from(key), field })
    }
  }

  find(source: Buffer, start: number, end: number): Field | undefined {
    const candidates = this.#byLength[end - start]
    if (candidates === undefined) return undefined
    search: for (const { key, field } of candidates) {
      for (let at = 0; at < key.length; at++) if (key[at] !== source[start + at]) continue search
      return field
    }
    return undefined
  }

  /** Writes the object at the cursor. Unknown members are ignored, and `null` is as good as absent. */
  write(reader: JsonReader, writer: WireWriter): void {
    for (let more = reader.firstMember(); more; more = reader.nextMember()) {
      const field = this.find(reader.source, reader.start, reader.end)
      if (field === undefined) {
        reader.skip()
      } else if (!reader.skipNull()) {
        try {
          field.write(reader, writer, field.tag)
        } catch (error) {
          throw error instanceof JsonProblem ? error.under(field.name) : error
        }
      }
    }
  }
}

function message(of: () => Message): WriteField {
  return (reader, writer, tag) => {
    const start = writer.open(tag)
    of().write(reader, writer)
    writer.close(start)
  }
}

function list(writeItem: WriteField): WriteField {
  return (reader, writer, tag) => {
    let index = 0
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      try {
        writeItem(reader, writer, tag)
      } catch (error) {
        throw error instanceof JsonProblem ? error.under(`[${index}]`) : error
      }
      index++
    }
  }
}

/** How many values the one being written is in. Writing is synchronous, and `encodeRequest` starts from none. */
let depth = 0

const writeAnyValue: WriteField = (reader, writer, tag) => {
  if (++depth > MAX_DEPTH) throw reader.failure(`values are nested deeper than ${MAX_DEPTH} levels`)
  const start = writer.open(tag)
  // Only in a list: an object's member that is null does not get here.
  if (!reader.skipNull()) ANY_VALUE.write(reader, writer)
  writer.close(start)
  depth--
}

const keyValues = list(message(() => KEY_VALUE))

const KEY_VALUE = new Message({ key: [KeyValue.key, writeText], value: [KeyValue.value, writeAnyValue] })
const ARRAY_VALUE = new Message({ values: [LIST_ITEM, list(writeAnyValue)] })
const KEY_VALUE_LIST = new Message({ values: [LIST_ITEM, keyValues] })
const ANY_VALUE = new Message({
  stringValue: [AnyValue.string, writeText],
  boolValue: [AnyValue.bool, writeBool],
  intValue: [AnyValue.int, writeInt64],
  doubleValue: [AnyValue.double, writeDouble],
  arrayValue: [AnyValue.array, message(() => ARRAY_VALUE)],
  kvlistValue: [AnyValue.kvlist, message(() => KEY_VALUE_LIST)],
  bytesValue: [AnyValue.bytes, writeBase64],
})

const LOG_RECORD = new Message({
  timeUnixNano: [Record.time, writeFixed64],
  observedTimeUnixNano: [Record.observedTime, writeFixed64],
  severityNumber: [Record.severityNumber, writeSeverity],
  severityText: [Record.severityText, writeText],
  body: [Record.body, writeAnyValue],
  attributes: [Record.attributes, keyValues],
  droppedAttributesCount: [Record.droppedAttributesCount, writeUint32],
  flags: [Record.flags, writeFixed32],
  traceId: [Record.traceId, writeHex(16)],
  spanId: [Record.spanId, writeHex(8)],
  eventName: [Record.eventName, writeText],
})

const ENTITY_REF = new Message({
  schemaUrl: [EntityRef.schemaUrl, writeText],
  type: [EntityRef.type, writeText],
  idKeys: [EntityRef.idKeys, list(writeText)],
  descriptionKeys: [EntityRef.descriptionKeys, list(writeText)],
})

const RESOURCE = new Message({
  attributes: [Resource.attributes, keyValues],
  droppedAttributesCount: [Resource.droppedAttributesCount, writeUint32],
  entityRefs: [Resource.entityRefs, list(message(() => ENTITY_REF))],
})

const SCOPE = new Message({
  name: [Scope.name, writeText],
  version: [Scope.version, writeText],
  attributes: [Scope.attributes, keyValues],
  droppedAttributesCount: [Scope.droppedAttributesCount, writeUint32],
})

const SCOPE_LOGS = new Message({
  scope: [ScopeLogs.scope, message(() => SCOPE)],
  logRecords: [ScopeLogs.logRecords, list(message(() => LOG_RECORD))],
  schemaUrl: [ScopeLogs.schemaUrl, writeText],
})

const RESOURCE_LOGS = new Message({
  resource: [ResourceLogs.resource, message(() => RESOURCE)],
  scopeLogs: [ResourceLogs.scopeLogs, list(message(() => SCOPE_LOGS))],
  schemaUrl: [ResourceLogs.schemaUrl, writeText],
})

const REQUEST = new Message({ resourceLogs: [Request.resourceLogs, list(message(() => RESOURCE_LOGS))] })

/** Writes the `ExportLogsServiceRequest` at the cursor. */
export function writeRequest(reader: JsonReader, writer: WireWriter): void {
  depth = 0
  REQUEST.write(reader, writer)
}
