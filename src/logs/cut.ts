import type { Extent, Measure } from './extent.ts'
import { AnyValue, KeyValue, LEN, LIST_ITEM, Record, Resource, Scope, WireReader } from './wire.ts'
import { WireWriter } from './wire-writer.ts'

/** A text or bytes that has a limit. */
interface Leaf {
  readonly limit: Exclude<Measure, 'attributes'>
  readonly isText: boolean
}

/** What a message holds: the kind of each length-delimited field that something with a limit can be in. */
interface Shape {
  readonly [tag: number]: Leaf | Shape
}

const KEY: Leaf = { limit: 'key', isText: true }
const VALUE: Leaf = { limit: 'value', isText: true }

/** An AnyValue with one limit for whatever is in it, and the KeyValue that can be in it. */
function shapesOf(limit: Leaf['limit']): { readonly value: Shape; readonly keyValue: Shape } {
  const keyValue: { [tag: number]: Leaf | Shape } = { [KeyValue.key]: KEY }
  const array: { [tag: number]: Shape } = {}
  const value: Shape = {
    [AnyValue.string]: { limit, isText: true },
    [AnyValue.bytes]: { limit, isText: false },
    [AnyValue.array]: array,
    [AnyValue.kvlist]: { [LIST_ITEM]: keyValue },
  }
  array[LIST_ITEM] = keyValue[KeyValue.value] = value
  return { value, keyValue }
}

const { keyValue: ATTRIBUTE } = shapesOf('value')

/** Messages with attributes: where these are, the number of those left out, and what else there is. */
const KINDS = {
  record: {
    attributes: Record.attributes,
    dropped: Record.droppedAttributesCount,
    shape: {
      [Record.severityText]: VALUE,
      [Record.body]: shapesOf('body').value,
      [Record.attributes]: ATTRIBUTE,
      [Record.eventName]: VALUE,
    },
  },
  resource: {
    attributes: Resource.attributes,
    dropped: Resource.droppedAttributesCount,
    shape: { [Resource.attributes]: ATTRIBUTE },
  },
  scope: {
    attributes: Scope.attributes,
    dropped: Scope.droppedAttributesCount,
    shape: { [Scope.name]: VALUE, [Scope.version]: VALUE, [Scope.attributes]: ATTRIBUTE },
  },
} as const satisfies { readonly [name: string]: Kind }

interface Kind {
  readonly attributes: number
  readonly dropped: number
  readonly shape: Shape
}

/** A message within the limits, and how much of each kind it took. */
export interface Cut {
  readonly content: Buffer
  readonly counts: Readonly<globalThis.Record<Measure, number>>
}

const MAX_UINT32 = 0xffffffff
const writer = new WireWriter(4096)

/**
 * Cuts a checked message down to limits: of attributes the first are kept and `dropped_attributes_count` says how many
 * are not, of texts and bytes their beginning, a text never ending inside a character.
 * @returns undefined where nothing is over
 */
export function cut(
  bytes: Buffer,
  start: number,
  end: number,
  name: keyof typeof KINDS,
  limits: Extent,
): Cut | undefined {
  const kind: Kind = KINDS[name]
  const cutter = new Cutter(bytes, limits)
  const { counts } = cutter
  counts.attributes = Math.max(0, attributesIn(bytes, start, end, kind) - limits.attributes)
  writer.pos = 0
  let attributes = 0
  let dropped = counts.attributes
  const reader = new WireReader(bytes, start)
  while (reader.pos < end) {
    const field = reader.pos
    const tag = reader.tag(end)
    // Of a number that is there twice, the last counts.
    if (counts.attributes > 0 && tag === kind.dropped) {
      dropped = counts.attributes + (reader.int32(end) >>> 0)
    } else if (tag === kind.attributes && attributes++ >= limits.attributes) reader.skip(tag, end)
    else cutter.copyField(reader, field, tag, end, kind.shape[tag])
  }
  if (counts.attributes > 0) {
    writer.varint(kind.dropped)
    writer.varint(Math.min(dropped, MAX_UINT32))
  }
  const isOver = counts.attributes + counts.key + counts.value + counts.body > 0
  return isOver ? { content: writer.copyOut(), counts } : undefined
}

function attributesIn(bytes: Buffer, start: number, end: number, kind: Kind): number {
  const reader = new WireReader(bytes, start)
  let count = 0
  while (reader.pos < end) {
    const tag = reader.tag(end)
    reader.skip(tag, end)
    if (tag === kind.attributes) count++
  }
  return count
}

class Cutter {
  readonly counts = { attributes: 0, key: 0, value: 0, body: 0 }
  readonly #bytes: Buffer
  readonly #limits: Extent
  /** What is no longer than this holds nothing that is over a limit. */
  readonly #harmless: number

  constructor(bytes: Buffer, limits: Extent) {
    this.#bytes = bytes
    this.#limits = limits
    this.#harmless = Math.min(limits.key, limits.value, limits.body)
  }

  /** Copies the field whose tag was read, cut where it is over. Levels are as many as the check lets pass. */
  copyField(
    reader: WireReader,
    field: number,
    tag: number,
    end: number,
    inner: Leaf | Shape | undefined,
  ): void {
    if (inner === undefined || (tag & 7) !== LEN) {
      reader.skip(tag, end)
      writer.copy(this.#bytes, field, reader.pos)
      return
    }
    const stop = reader.length(end)
    if (stop - reader.pos <= this.#harmless) {
      writer.copy(this.#bytes, field, stop)
    } else if (isLeaf(inner)) {
      this.#copyLeaf(reader.pos, stop, field, tag, inner)
    } else {
      const mark = writer.open(tag)
      while (reader.pos < stop) {
        const nested = reader.pos
        const nestedTag = reader.tag(stop)
        this.copyField(reader, nested, nestedTag, stop, inner[nestedTag])
      }
      writer.close(mark)
    }
    reader.pos = stop
  }

  #copyLeaf(start: number, stop: number, field: number, tag: number, { limit, isText }: Leaf): void {
    let end = start + this.#limits[limit]
    if (end >= stop) {
      writer.copy(this.#bytes, field, stop)
      return
    }
    // A byte 10xxxxxx goes on with a character: RFC 3629.
    if (isText) while (end > start && (this.#bytes[end] & 0xc0) === 0x80) end--
    writer.field(tag, this.#bytes, start, end)
    this.counts[limit]++
  }
}

const isLeaf = (inner: Leaf | Shape): inner is Leaf => 'limit' in inner
