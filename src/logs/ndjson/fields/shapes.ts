import { copyToKeep } from '../../../memory.ts'
import { KeyValueSpan } from '../../key-value.ts'
import { AnyValue, LIST_ITEM, MAX_DEPTH, type WireReader } from '../../wire.ts'
import { isControlKey } from '../control.ts'
import { UnfitError } from '../mapping.ts'
import { Member } from './member.ts'

/** What stands at a key: nothing worth a field, a value, a list with maps in it, or a map, whose keys follow. */
const NOTHING = 0
const VALUE = 1
const LIST = 2
const MAP = 3
/** No key, but the end of a map, and the begin of a body. */
const END = 4
const BODY = 5

/** A value of a shape: the keys that lead to it, outermost first. */
export interface Leaf {
  readonly keys: readonly string[]
  /** It is in the body, whose keys these are. */
  readonly inBody: boolean
  /** A list with maps in it. */
  readonly isList: boolean
}

const NO_KEY = Buffer.alloc(0)

/** Of more, each a shape to be kept, Elasticsearch would take none either: it stops at 1000 unless told otherwise. */
const MAX_KEYS = 10_000
/** What a shape takes in memory besides its key, about. */
const SHAPE_BYTES = 600

/** Counts the shapes that hang together. */
interface Tally {
  shapes: number
  bytes: number
}

/**
 * The keys of a message so far, nested ones too, in their order. Records of one place in a program have the same keys
 * in the same order, so what follows from them is found out once, and hangs here.
 */
export class Shape {
  readonly id: number
  readonly #tally: Tally
  readonly #length: number
  readonly #parent: Shape | undefined
  readonly #key: Buffer
  readonly #kind: number
  /** A key that steers the exporter stands for no field. */
  readonly isControl: boolean
  readonly #next = new Map<string, Shape>()
  #last: Shape | undefined
  #leaves: readonly Leaf[] | undefined

  constructor(tally: Tally, parent?: Shape, key = NO_KEY, kind = NOTHING, isControl = false) {
    this.#length = parent === undefined ? 0 : parent.#length + 1
    if (this.#length > MAX_KEYS)
      throw new UnfitError('too_many_fields', `it has more than ${MAX_KEYS} fields`)
    this.id = tally.shapes++
    tally.bytes += SHAPE_BYTES + key.length * 2
    this.#tally = tally
    this.#parent = parent
    this.#key = key
    this.#kind = kind
    this.isControl = isControl
  }

  /** The shape with one key more. */
  with(bytes: Buffer, start: number, end: number, kind: number, outermost: boolean): Shape {
    const last = this.#last
    if (last !== undefined && last.#kind === kind && last.#hasKey(bytes, start, end)) return last
    const name = kind + bytes.toString('latin1', start, end)
    let next = this.#next.get(name)
    if (next === undefined) {
      const key = copyToKeep(bytes.subarray(start, end))
      next = new Shape(this.#tally, this, key, kind, outermost && isControlKey(bytes, start, end))
      this.#next.set(name, next)
    }
    this.#last = next
    return next
  }

  /** The values, in the order they are met. */
  get leaves(): readonly Leaf[] {
    this.#leaves ??= this.#findLeaves()
    return this.#leaves
  }

  #hasKey(bytes: Buffer, start: number, end: number): boolean {
    const key = this.#key
    if (key.length !== end - start) return false
    for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false
    return true
  }

  #findLeaves(): Leaf[] {
    const leaves: Leaf[] = []
    const open: string[] = []
    let inBody = false
    for (const shape of Shape.#pathTo(this)) {
      const key = shape.#key.toString()
      if (shape.#kind === BODY) inBody = true
      else if (shape.#kind === MAP && !shape.isControl) open.push(key)
      else if (shape.#kind === END) open.pop()
      else if ((shape.#kind === VALUE || shape.#kind === LIST) && !shape.isControl) {
        leaves.push({ keys: [...open, key], inBody, isList: shape.#kind === LIST })
      }
    }
    return leaves
  }
  /** The shapes that lead to one, that one last. */
  static #pathTo(last: Shape): Shape[] {
    const path: Shape[] = []
    for (let shape: Shape | undefined = last; shape !== undefined; shape = shape.#parent) path.push(shape)
    return path.reverse()
  }
}

/** Where values lie, `[start, end)` of each AnyValue. */
export class Values {
  spans = new Int32Array(64)
  size = 0

  add(start: number, end: number): void {
    const at = this.size * 2
    if (at === this.spans.length) {
      const larger = new Int32Array(at * 2)
      larger.set(this.spans)
      this.spans = larger
    }
    this.spans[at] = start
    this.spans[at + 1] = end
    this.size++
  }
}

/** Finds the shape of messages, and where their values lie. */
export class ShapeReader {
  readonly #tally: Tally = { shapes: 0, bytes: 0 }
  readonly #outer = new Shape(this.#tally)
  readonly #inner = new Shape(this.#tally)
  readonly #member = new Member()
  readonly #span = new KeyValueSpan()

  /** What all shapes so far take in memory, about. */
  get bytes(): number {
    return this.#tally.bytes
  }

  /** The attributes in the fields `tag` of the message at `[reader.pos, end)`. */
  attributes(reader: WireReader, end: number, tag: number, values: Values): Shape {
    return this.#walk(this.#outer, reader, end, tag, values, 0)
  }

  /** A map that is no attribute's value, with its content at `[reader.pos, end)`. */
  map(reader: WireReader, end: number, values: Values, depth: number): Shape {
    return this.#walk(this.#inner, reader, end, LIST_ITEM, values, depth)
  }

  /** A body that is a map, with its content at `[reader.pos, end)`, after the attributes. */
  body(shape: Shape, reader: WireReader, end: number, values: Values): Shape {
    return this.#walk(shape.with(NO_KEY, 0, 0, BODY, false), reader, end, LIST_ITEM, values, 1)
  }

  #walk(from: Shape, reader: WireReader, end: number, tag: number, values: Values, depth: number): Shape {
    if (depth > MAX_DEPTH) throw reader.tooDeep()
    const { bytes } = reader
    let shape = from
    while (reader.pos < end) {
      const found = reader.tag(end)
      if (found !== tag) {
        reader.skip(found, end)
        continue
      }
      const stop = reader.length(end)
      this.#span.read(reader, stop)
      const { keyStart, keyEnd, valueStart, valueEnd } = this.#span
      const kind = this.#kindOf(reader, valueStart, valueEnd)
      shape = shape.with(bytes, keyStart, keyEnd, kind, depth === 0)
      if (!shape.isControl) {
        if (kind === VALUE || kind === LIST) values.add(valueStart, valueEnd)
        else if (kind === MAP) {
          const { from: mapStart, to: mapEnd } = this.#member
          reader.pos = mapStart
          shape = this.#walk(shape, reader, mapEnd, LIST_ITEM, values, depth + 1)
          shape = shape.with(NO_KEY, 0, 0, END, false)
        }
      }
      reader.pos = stop
    }
    return shape
  }

  #kindOf(reader: WireReader, start: number, end: number): number {
    const { tag, from, to } = this.#member.find(reader, start, end)
    if (tag === AnyValue.kvlist) return MAP
    if (tag !== AnyValue.array) return tag === 0 ? NOTHING : VALUE
    reader.pos = from
    return kindOfList(reader, to)
  }
}

/** An empty list is nothing, one that holds maps, however deep, has shapes of its own. */
function kindOfList(reader: WireReader, end: number, depth = 1): number {
  if (depth > MAX_DEPTH) throw reader.tooDeep()
  let kind = NOTHING
  while (reader.pos < end) {
    const item = reader.tag(end)
    if (item !== LIST_ITEM) {
      reader.skip(item, end)
      continue
    }
    const stop = reader.length(end)
    if (kind === NOTHING) kind = VALUE
    while (reader.pos < stop) {
      const tag = reader.tag(stop)
      if (tag === AnyValue.kvlist) kind = LIST
      if (tag !== AnyValue.array) {
        reader.skip(tag, stop)
        continue
      }
      const inner = reader.length(stop)
      if (kindOfList(reader, inner, depth + 1) === LIST) kind = LIST
      reader.pos = inner
    }
  }
  return kind
}
