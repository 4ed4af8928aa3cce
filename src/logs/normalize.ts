import {
  AnyValue,
  KeyValue,
  LEN,
  LIST_ITEM,
  Record,
  Request,
  Resource,
  ResourceLogs,
  Scope,
  ScopeLogs,
  WireReader,
} from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/**
 * Rewrites a checked request so that every message field that may appear once does: protobuf allows it twice
 * and says to merge (https://protobuf.dev/programming-guides/encoding/#last-one-wins). Merging is putting the
 * contents one after the other; of a oneof only the last member counts. Rare, so it may be slow: behind
 * the door everything reads the simple form.
 */
export function normalize(bytes: Buffer): Buffer {
  const writer = new WireWriter(bytes.length + 64)
  writeMessage(writer, REQUEST, bytes)
  return writer.take()
}

/** Message fields to descend into, by tag; `once`: may appear once. */
interface Shape {
  readonly [tag: number]: { readonly once: boolean; readonly of: () => Shape }
}

const ANY_VALUE: Shape = {}
const KEY_VALUE: Shape = { [KeyValue.value]: { once: true, of: () => ANY_VALUE } }
const ATTRIBUTES = { once: false, of: () => KEY_VALUE }
const KVLIST: Shape = { [LIST_ITEM]: ATTRIBUTES }
const ARRAY: Shape = { [LIST_ITEM]: { once: false, of: () => ANY_VALUE } }
const RECORD: Shape = { [Record.body]: { once: true, of: () => ANY_VALUE }, [Record.attributes]: ATTRIBUTES }
const RESOURCE: Shape = { [Resource.attributes]: ATTRIBUTES }
const SCOPE: Shape = { [Scope.attributes]: ATTRIBUTES }
const SCOPE_LOGS: Shape = {
  [ScopeLogs.scope]: { once: true, of: () => SCOPE },
  [ScopeLogs.logRecords]: { once: false, of: () => RECORD },
}
const RESOURCE_LOGS: Shape = {
  [ResourceLogs.resource]: { once: true, of: () => RESOURCE },
  [ResourceLogs.scopeLogs]: { once: false, of: () => SCOPE_LOGS },
}
const REQUEST: Shape = { [Request.resourceLogs]: { once: false, of: () => RESOURCE_LOGS } }

interface Field {
  readonly tag: number
  /** The whole field, tag included. */
  readonly raw: Buffer
  /** What a length-delimited field holds. */
  readonly content: Buffer
}

function readFields(bytes: Buffer): Field[] {
  const reader = new WireReader(bytes)
  const fields: Field[] = []
  while (reader.pos < bytes.length) {
    const start = reader.pos
    const tag = reader.tag(bytes.length)
    const afterTag = reader.pos
    reader.skip(tag, bytes.length)
    let contentStart = reader.pos
    if ((tag & 7) === LEN) {
      const end = reader.pos
      reader.pos = afterTag
      reader.length(bytes.length)
      contentStart = reader.pos
      reader.pos = end
    }
    fields.push({
      tag,
      raw: bytes.subarray(start, reader.pos),
      content: bytes.subarray(contentStart, reader.pos),
    })
  }
  return fields
}

function writeMessage(writer: WireWriter, shape: Shape, bytes: Buffer): void {
  if (shape === ANY_VALUE) {
    writeAnyValue(writer, bytes)
    return
  }
  const fields = readFields(bytes)
  const written = new Set<number>()
  for (const field of fields) {
    const known = shape[field.tag]
    if (known === undefined) {
      writer.copy(field.raw)
    } else if (!known.once) {
      writeNested(writer, field.tag, known.of(), field.content)
    } else if (!written.has(field.tag)) {
      written.add(field.tag)
      const all = fields.filter(({ tag }) => tag === field.tag).map(({ content }) => content)
      writeNested(writer, field.tag, known.of(), Buffer.concat(all))
    }
  }
}

function writeNested(writer: WireWriter, tag: number, shape: Shape, content: Buffer): void {
  const start = writer.open(tag)
  writeMessage(writer, shape, content)
  writer.close(start)
}

const MEMBERS: ReadonlySet<number> = new Set(Object.values(AnyValue))

function writeAnyValue(writer: WireWriter, bytes: Buffer): void {
  const fields = readFields(bytes)
  const members = fields.filter(({ tag }) => MEMBERS.has(tag))
  const last = members.at(-1)
  for (const { tag, raw } of fields) if (!MEMBERS.has(tag)) writer.copy(raw)
  if (last === undefined) return
  if (last.tag !== AnyValue.array && last.tag !== AnyValue.kvlist) {
    writer.copy(last.raw)
    return
  }
  // A list merges with those right before it, up to a member of another kind, which had replaced it.
  const firstOfRun = members.findLastIndex(({ tag }) => tag !== last.tag) + 1
  const run = members.slice(firstOfRun).map(({ content }) => content)
  writeNested(writer, last.tag, last.tag === AnyValue.array ? ARRAY : KVLIST, Buffer.concat(run))
}
