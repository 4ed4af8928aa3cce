import {
  AnyValue,
  KeyValue,
  LEN,
  LIST_ITEM,
  MAX_DEPTH,
  type MalformedError,
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
 * @throws MalformedError where there is too much to look at
 */
export function normalize(bytes: Buffer): Buffer {
  const normalizer = new Normalizer(bytes)
  normalizer.write(REQUEST, [0, bytes.length])
  return normalizer.writer.take()
}

/**
 * Fields to look at, most of them twice: those of some 5,000 records with 30 attributes. A field may take two bytes, and
 * the ten million of a request within its size limit would keep everybody waiting for seconds.
 */
const MAX_FIELDS = 1_000_000

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

const MEMBERS: ReadonlySet<number> = new Set(Object.values(AnyValue))

class Normalizer {
  readonly writer: WireWriter
  readonly #bytes: Buffer
  #depth = 0
  #fields = 0

  constructor(bytes: Buffer) {
    this.writer = new WireWriter(bytes.length + 64)
    this.#bytes = bytes
  }

  write(shape: Shape, pieces: Pieces): void {
    if (shape === ANY_VALUE) {
      this.#writeValue(pieces)
      return
    }
    // No message has more than one field of each kind.
    let merged: number[] | undefined
    let last = -1
    this.#eachField(pieces, (tag, field, value, end) => {
      const known = shape[tag]
      if (known === 'last') last = field
      else if (known?.once) {
        merged ??= []
        merged.push(value, end)
      }
    })
    this.#eachField(pieces, (tag, field, value, end) => {
      const known = shape[tag]
      if (known === undefined || (known === 'last' && last === field)) {
        this.writer.copy(this.#bytes, field, end)
      } else if (known !== 'last') {
        const all = known.once ? merged : [value, end]
        if (all === undefined) return
        if (known.once) merged = undefined
        this.#writeNested(tag, known.of(), all)
      }
    })
  }

  #writeNested(tag: number, shape: Shape, pieces: Pieces): void {
    const start = this.writer.open(tag)
    this.write(shape, pieces)
    this.writer.close(start)
  }

  #writeValue(pieces: Pieces): void {
    // Of a resource or scope in pieces only the last was checked.
    if (++this.#depth > MAX_DEPTH) throw new WireReader(this.#bytes, pieces[0]).tooDeep()
    let last = 0
    let lastField = 0
    let lastEnd = 0
    // A list merges with those right before it, up to a member of another kind, which had replaced it.
    let run: number[] = []
    this.#eachField(pieces, (tag, field, value, end) => {
      if (!MEMBERS.has(tag)) {
        this.writer.copy(this.#bytes, field, end)
        return
      }
      const isList = tag === AnyValue.array || tag === AnyValue.kvlist
      if (!isList || tag !== last) run = []
      if (isList) run.push(value, end)
      last = tag
      lastField = field
      lastEnd = end
    })
    if (run.length > 0) this.#writeNested(last, last === AnyValue.array ? ARRAY : KVLIST, run)
    else if (last !== 0) this.writer.copy(this.#bytes, lastField, lastEnd)
    this.#depth--
  }

  /** Calls `visit` with each field: its tag, its first byte, the first of its value, and its end. */
  #eachField(pieces: Pieces, visit: (tag: number, field: number, value: number, end: number) => void): void {
    const reader = new WireReader(this.#bytes)
    for (let piece = 0; piece < pieces.length; piece += 2) {
      const end = pieces[piece + 1]
      reader.pos = pieces[piece]
      while (reader.pos < end) {
        const field = reader.pos
        const tag = reader.tag(end)
        if (++this.#fields > MAX_FIELDS) throw tooMany(reader)
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
}

function tooMany(reader: WireReader): MalformedError {
  return reader.malformed(
    'too many fields in a request that repeats messages which may appear once: send less at once, or each once',
  )
}
