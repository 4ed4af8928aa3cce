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
 * Rewrites a checked request so that every message field and every key that may appear once does: protobuf allows
 * them twice and says to merge (https://protobuf.dev/programming-guides/encoding/#last-one-wins). Merging is putting the
 * contents one after the other; of a oneof only the last member counts. Rare, so it may be slow: behind
 * the door everything reads the simple form.
 */
export function normalize(bytes: Buffer): Buffer {
  const writer = new WireWriter(bytes.length + 64)
  writeMessage(writer, REQUEST, bytes, [0, bytes.length])
  return writer.take()
}

/** Fields to look at, by tag: a message that may appear once or often, or a text of which the last counts. */
interface Shape {
  readonly [tag: number]: 'last' | { readonly once: boolean; readonly of: () => Shape }
}

const ANY_VALUE: Shape = {}
const KEY_VALUE: Shape = { [KeyValue.key]: 'last', [KeyValue.value]: { once: true, of: () => ANY_VALUE } }
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

/** Where a message lies: start and end of each piece in turn. Offsets, for a hostile request has millions. */
type Pieces = readonly number[]

/** Calls `visit` with each field: its tag, its first byte, the first of its value, and its end. */
function eachField(
  bytes: Buffer,
  pieces: Pieces,
  visit: (tag: number, field: number, value: number, end: number) => void,
): void {
  const reader = new WireReader(bytes)
  for (let piece = 0; piece < pieces.length; piece += 2) {
    const end = pieces[piece + 1]
    reader.pos = pieces[piece]
    while (reader.pos < end) {
      const field = reader.pos
      const tag = reader.tag(end)
      let value = reader.pos
      if ((tag & 7) === LEN) {
        const stop = reader.length(end)
        value = reader.pos
        reader.pos = stop
      } else reader.skip(tag, end)
      visit(tag, field, value, reader.pos)
    }
  }
}

function writeMessage(writer: WireWriter, shape: Shape, bytes: Buffer, pieces: Pieces): void {
  if (shape === ANY_VALUE) {
    writeAnyValue(writer, bytes, pieces)
    return
  }
  const merged = new Map<number, number[]>()
  const last = new Map<number, number>()
  eachField(bytes, pieces, (tag, field, value, end) => {
    const known = shape[tag]
    if (known === 'last') last.set(tag, field)
    else if (known?.once) {
      const all = merged.get(tag)
      if (all) all.push(value, end)
      else merged.set(tag, [value, end])
    }
  })
  eachField(bytes, pieces, (tag, field, value, end) => {
    const known = shape[tag]
    if (known === undefined || (known === 'last' && last.get(tag) === field)) {
      writer.copy(bytes, field, end)
    } else if (known !== 'last') {
      const all = known.once ? merged.get(tag) : [value, end]
      if (all === undefined) return
      merged.delete(tag)
      writeNested(writer, tag, known.of(), bytes, all)
    }
  })
}

function writeNested(writer: WireWriter, tag: number, shape: Shape, bytes: Buffer, pieces: Pieces): void {
  const start = writer.open(tag)
  writeMessage(writer, shape, bytes, pieces)
  writer.close(start)
}

const MEMBERS: ReadonlySet<number> = new Set(Object.values(AnyValue))

function writeAnyValue(writer: WireWriter, bytes: Buffer, pieces: Pieces): void {
  let last = 0
  let lastField = 0
  let lastEnd = 0
  // A list merges with those right before it, up to a member of another kind, which had replaced it.
  let run: number[] = []
  eachField(bytes, pieces, (tag, field, value, end) => {
    if (!MEMBERS.has(tag)) {
      writer.copy(bytes, field, end)
      return
    }
    const isList = tag === AnyValue.array || tag === AnyValue.kvlist
    if (!isList || tag !== last) run = []
    if (isList) run.push(value, end)
    last = tag
    lastField = field
    lastEnd = end
  })
  if (run.length > 0) writeNested(writer, last, last === AnyValue.array ? ARRAY : KVLIST, bytes, run)
  else if (last !== 0) writer.copy(bytes, lastField, lastEnd)
}
