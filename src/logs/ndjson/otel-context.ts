import { readKeyValue } from '../any-value.ts'
import type { BatchData } from '../data.ts'
import { R, S } from '../structure.ts'
import { Resource, Scope, viewOf, WireReader } from '../wire.ts'
import { isControlKey, type Route, readContextRoute } from './control.ts'
import type { JsonWriter } from './json-writer.ts'
import { scopeDataset } from './scope-dataset.ts'

/** ASCII JSON as bytes. */
export const fragment = (text: string): Buffer => Buffer.from(text, 'latin1')

const RESOURCE = fragment(',"resource":{')
const SCOPE = fragment(',"scope":{')
const SCHEMA_URL = fragment('"schema_url":')
const NAME = fragment('"name":')
const VERSION = fragment('"version":')
const ATTRIBUTES = fragment('"attributes":{')
const DROPPED_COUNT = fragment('"dropped_attributes_count":')
const CLOSE = 0x7d
const COMMA = 0x2c
const OPEN = 0x7b
const ROOM = 1024

/** Renders `,"resource":{…},"scope":{…}` of a scope's records; what `out` held stays as it was. */
export function renderContext(data: BatchData, scope: number, out: JsonWriter): Buffer {
  const { bytes } = data
  const { scopes, resources } = data.structure
  const at = scope * S.STRIDE
  const resourceAt = scopes[at + S.RESOURCE] * R.STRIDE
  const start = out.pos
  const resource = resourceMessage(data, scope)
  const scopeBytes = scopeMessage(data, scope)
  const urls =
    resources[resourceAt + R.URL_END] -
    resources[resourceAt + R.URL] +
    scopes[at + S.URL_END] -
    scopes[at + S.URL]
  out.reserve((resource.length + scopeBytes.length + urls) * 6 + ROOM)

  out.raw(RESOURCE)
  writeUrl(out, bytes, resources[resourceAt + R.URL], resources[resourceAt + R.URL_END])
  writeAttributes(out, resource, Resource.attributes)
  writeCount(out, resource, Resource.droppedAttributesCount)
  out.byte(CLOSE)
  out.raw(SCOPE)
  writeUrl(out, bytes, scopes[at + S.URL], scopes[at + S.URL_END])
  writeName(out, NAME, scopeBytes, Scope.name)
  writeName(out, VERSION, scopeBytes, Scope.version)
  writeAttributes(out, scopeBytes, Scope.attributes)
  writeCount(out, scopeBytes, Scope.droppedAttributesCount)
  out.byte(CLOSE)

  const rendered = Buffer.from(out.bytes.subarray(start, out.pos))
  out.pos = start
  return rendered
}

/** The route that the attributes of a scope and its resource ask for. */
export function routeOfContext(data: BatchData, scope: number): Route {
  const message = scopeMessage(data, scope)
  const outer = readContextRoute(resourceMessage(data, scope), Resource.attributes, {})
  const route = readContextRoute(message, Scope.attributes, outer)
  if (route.dataset !== undefined || message.length === 0) return route
  const name = message.toString('utf8', ...textField(message, Scope.name))
  const dataset = scopeDataset(name, attributeText(message, Scope.attributes, 'encoding.format') ?? '')
  return dataset === undefined ? route : { ...route, scopeDataset: dataset }
}

/** The text of a resource attribute of a scope's records; undefined where it is missing or no text. */
export function resourceText(data: BatchData, scope: number, name: string): string | undefined {
  return attributeText(resourceMessage(data, scope), Resource.attributes, name)
}

/** The Resource message of a scope's records, as edited. */
export function resourceMessage({ bytes, structure, resourceEdits }: BatchData, scope: number): Buffer {
  const resource = structure.scopes[scope * S.STRIDE + S.RESOURCE]
  const at = resource * R.STRIDE
  const { resources } = structure
  const edited = resourceEdits.get(resource)
  return edited ?? bytes.subarray(Math.max(0, resources[at + R.MESSAGE]), resources[at + R.MESSAGE_END])
}

/** The InstrumentationScope message of a scope's records, as edited. */
export function scopeMessage({ bytes, structure, scopeEdits }: BatchData, scope: number): Buffer {
  const at = scope * S.STRIDE
  const { scopes } = structure
  return (
    scopeEdits.get(scope) ?? bytes.subarray(Math.max(0, scopes[at + S.MESSAGE]), scopes[at + S.MESSAGE_END])
  )
}

/** The text of the first attribute of that name in the fields `tag` of a message. */
export function attributeText(message: Buffer, tag: number, name: string): string | undefined {
  const reader = new WireReader(message)
  while (reader.pos < message.length) {
    const found = reader.tag(message.length)
    if (found !== tag) {
      reader.skip(found, message.length)
      continue
    }
    const stop = reader.length(message.length)
    const [key, value] = readKeyValue(message, reader.pos, stop)
    if (key === name) return typeof value === 'string' ? value : undefined
    reader.pos = stop
  }
  return undefined
}

function comma(out: JsonWriter): void {
  if (out.bytes[out.pos - 1] !== OPEN) out.byte(COMMA)
}

function writeUrl(out: JsonWriter, bytes: Buffer, start: number, end: number): void {
  if (start < 0 || start === end) return
  out.raw(SCHEMA_URL)
  out.text(bytes, viewOf(bytes), start, end)
}

/** The unsigned 32 bits in the last field `tag` of a message; 0 when there is none. */
export function countField(message: Buffer, tag: number): number {
  const reader = new WireReader(message)
  let count = 0
  while (reader.pos < message.length) {
    const found = reader.tag(message.length)
    if (found === tag) count = reader.int32(message.length) >>> 0
    else reader.skip(found, message.length)
  }
  return count
}

/** Where the text in the last field `tag` of a message lies; nowhere, and of no length, when there is none. */
export function textField(message: Buffer, tag: number): readonly [start: number, end: number] {
  const reader = new WireReader(message)
  let start = 0
  let end = 0
  while (reader.pos < message.length) {
    const found = reader.tag(message.length)
    if (found === tag) {
      end = reader.length(message.length)
      start = reader.pos
      reader.pos = end
    } else reader.skip(found, message.length)
  }
  return [start, end]
}

function writeName(out: JsonWriter, name: Buffer, message: Buffer, tag: number): void {
  const [start, end] = textField(message, tag)
  if (start === end) return
  comma(out)
  out.raw(name)
  out.text(message, viewOf(message), start, end)
}

function writeAttributes(out: JsonWriter, message: Buffer, tag: number): void {
  comma(out)
  const view = viewOf(message)
  out.raw(ATTRIBUTES)
  out.members(new WireReader(message), view, message.length, tag, isControlKey)
  out.byte(CLOSE)
}

function writeCount(out: JsonWriter, message: Buffer, tag: number): void {
  const count = countField(message, tag)
  if (count === 0) return
  comma(out)
  out.raw(DROPPED_COUNT)
  out.integer(count)
}
