import { AnyValue, LIST_ITEM, MAX_DEPTH, type WireReader } from '../../wire.ts'
import type { JsonWriter } from '../json-writer.ts'
import type { Clash } from './field-tree.ts'
import { Member } from './member.ts'
import { type Plan, planOf, VALUE_SLOTS } from './plan.ts'
import { type ShapeReader, Values } from './shapes.ts'

/** For the braces of an object, and what stands between values. */
const ROOM = 64

/** Writes values with maps in them so that names with dots are objects, and nothing clashes in them either. */
export class ValueJson {
  readonly #shapes: ShapeReader
  readonly #clashed: (clashes: ReadonlyMap<Clash, number>) => void
  readonly #plans = new Map<number, Plan>()
  readonly #member = new Member()

  constructor(shapes: ShapeReader, clashed: (clashes: ReadonlyMap<Clash, number>) => void) {
    this.#shapes = shapes
    this.#clashed = clashed
  }

  /** What all plans so far take in memory, about. */
  bytes = 0

  /** Writes the AnyValue at `[start, end)`. */
  write(out: JsonWriter, reader: WireReader, view: DataView, start: number, end: number, depth = 1): void {
    if (depth > MAX_DEPTH) throw reader.tooDeep()
    const { tag, from, to } = this.#member.find(reader, start, end)
    if (tag === AnyValue.kvlist) this.#writeMap(out, reader, view, from, to, depth)
    else if (tag === AnyValue.array) this.#writeList(out, reader, view, from, to, depth)
    else {
      reader.pos = start
      out.value(reader, view, end)
    }
  }

  #writeList(out: JsonWriter, reader: WireReader, view: DataView, from: number, to: number, depth: number) {
    out.byte(0x5b)
    let first = true
    for (let pos = from; pos < to; ) {
      reader.pos = pos
      const tag = reader.tag(to)
      if (tag !== LIST_ITEM) {
        reader.skip(tag, to)
        pos = reader.pos
        continue
      }
      pos = reader.length(to)
      if (first) first = false
      else out.byte(0x2c)
      this.write(out, reader, view, reader.pos, pos, depth + 1)
    }
    out.byte(0x5d)
  }

  #writeMap(out: JsonWriter, reader: WireReader, view: DataView, from: number, to: number, depth: number) {
    const values = new Values()
    reader.pos = from
    const shape = this.#shapes.map(reader, to, values, depth)
    let plan = this.#plans.get(shape.id)
    if (plan === undefined) {
      const fields = shape.leaves.map(({ keys }, value) => ({
        name: keys.join('.'),
        slot: VALUE_SLOTS + value,
        fixed: false,
        layer: 0,
      }))
      plan = planOf(fields, undefined, true)
      this.#plans.set(shape.id, plan)
      this.bytes += plan.bytes
    }
    const { texts, slots, size, clashes } = plan
    out.reserve(size + (to - from) * 6 + ROOM)
    slots.forEach((slot, index) => {
      out.raw(texts[index])
      const at = (slot - VALUE_SLOTS) * 2
      this.write(out, reader, view, values.spans[at], values.spans[at + 1], depth + 1)
    })
    out.raw(texts[slots.length])
    if (clashes.size > 0) this.#clashed(clashes)
  }
}
