import type { BatchData } from '../data.ts'
import type { JsonWriter } from '../ndjson/json-writer.ts'
import { countField, resourceMessage, scopeMessage, textField } from '../ndjson/otel-context.ts'
import { R, S } from '../structure.ts'
import { EntityRef, Resource, Scope, viewOf, WireReader } from '../wire.ts'
import { OTLP_JSON_GROWTH } from './growth.ts'
import { writeKeyValues } from './write-value.ts'

const ROOM = 1024
const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c

/** Writes what the ResourceLogs of a scope has before its scopes: `"resource":{…},"schemaUrl":"…"`. */
export function writeResource(out: JsonWriter, data: BatchData, scope: number): void {
  const { resources, scopes } = data.structure
  const at = scopes[scope * S.STRIDE + S.RESOURCE] * R.STRIDE
  const message = resourceMessage(data, scope)
  const [url, urlEnd] = [resources[at + R.URL], resources[at + R.URL_END]]
  out.reserve((message.length + urlEnd - url) * OTLP_JSON_GROWTH + ROOM)
  out.ascii('"resource":{')
  writeAttributes(out, message, Resource.attributes)
  writeCount(out, message, Resource.droppedAttributesCount)
  writeEntityRefs(out, message)
  out.byte(CLOSE)
  writeUrl(out, data.bytes, url, urlEnd)
}

/** Writes what a ScopeLogs has before its records: `"scope":{…},"schemaUrl":"…"`. */
export function writeScope(out: JsonWriter, data: BatchData, scope: number): void {
  const { scopes } = data.structure
  const at = scope * S.STRIDE
  const message = scopeMessage(data, scope)
  const [url, urlEnd] = [scopes[at + S.URL], scopes[at + S.URL_END]]
  out.reserve((message.length + urlEnd - url) * OTLP_JSON_GROWTH + ROOM)
  out.ascii('"scope":{')
  writeText(out, 'name', message, Scope.name)
  writeText(out, 'version', message, Scope.version)
  writeAttributes(out, message, Scope.attributes)
  writeCount(out, message, Scope.droppedAttributesCount)
  out.byte(CLOSE)
  writeUrl(out, data.bytes, url, urlEnd)
}

function writeMember(out: JsonWriter, name: string): void {
  if (out.bytes[out.pos - 1] !== OPEN) out.byte(COMMA)
  out.ascii(`"${name}":`)
}

function writeAttributes(out: JsonWriter, message: Buffer, tag: number): void {
  const mark = out.pos
  writeMember(out, 'attributes')
  const list = out.pos
  writeKeyValues(out, new WireReader(message), viewOf(message), message.length, tag)
  if (out.pos === list + 2) out.pos = mark
}

function writeCount(out: JsonWriter, message: Buffer, tag: number): void {
  const count = countField(message, tag)
  if (count === 0) return
  writeMember(out, 'droppedAttributesCount')
  out.integer(count)
}

function writeText(out: JsonWriter, name: string, message: Buffer, tag: number): void {
  const [start, end] = textField(message, tag)
  if (start === end) return
  writeMember(out, name)
  out.text(message, viewOf(message), start, end)
}

function writeUrl(out: JsonWriter, bytes: Buffer, start: number, end: number): void {
  if (start < 0 || start === end) return
  out.ascii(',"schemaUrl":')
  out.text(bytes, viewOf(bytes), start, end)
}

function writeEntityRefs(out: JsonWriter, resource: Buffer): void {
  let first = true
  forEachField(resource, Resource.entityRefs, (start, end) => {
    if (first) {
      writeMember(out, 'entityRefs')
      out.ascii('[{')
    } else out.ascii(',{')
    first = false
    const ref = resource.subarray(start, end)
    writeText(out, 'schemaUrl', ref, EntityRef.schemaUrl)
    writeText(out, 'type', ref, EntityRef.type)
    writeTexts(out, 'idKeys', ref, EntityRef.idKeys)
    writeTexts(out, 'descriptionKeys', ref, EntityRef.descriptionKeys)
    out.byte(CLOSE)
  })
  if (!first) out.byte(0x5d)
}

function writeTexts(out: JsonWriter, name: string, message: Buffer, tag: number): void {
  const view = viewOf(message)
  let first = true
  forEachField(message, tag, (start, end) => {
    if (first) {
      writeMember(out, name)
      out.byte(0x5b)
    } else out.byte(COMMA)
    first = false
    out.text(message, view, start, end)
  })
  if (!first) out.byte(0x5d)
}

function forEachField(message: Buffer, tag: number, visit: (start: number, end: number) => void): void {
  const reader = new WireReader(message)
  while (reader.pos < message.length) {
    const found = reader.tag(message.length)
    if (found !== tag) {
      reader.skip(found, message.length)
      continue
    }
    const end = reader.length(message.length)
    visit(reader.pos, end)
    reader.pos = end
  }
}
