import type { BatchData } from '../../data.ts'
import { AnyValue, Record, viewOf, WireReader } from '../../wire.ts'
import type { JsonWriter } from '../json-writer.ts'
import type { Mapping } from '../mapping.ts'
import { RecordFields } from '../record-fields.ts'
import { isListOfMaps } from '../record-json.ts'
import { TimestampWriter } from '../timestamp.ts'
import { type FieldContext, FieldContexts, type WriteValue } from './context.ts'
import type { Clash } from './field-tree.ts'
import { fieldsOf, LAYERS } from './layers.ts'
import { levelOf } from './level.ts'
import { Member } from './member.ts'
import { bind, CONTEXT_SLOTS, type Plan, planOf, VALUE_SLOTS } from './plan.ts'
import { type FieldScheme, HAS, SLOT } from './scheme.ts'
import { type Shape, ShapeReader, Values } from './shapes.ts'
import { ValueJson } from './value-json.ts'

/** What shapes and plans may take in memory: records whose keys never repeat would have no end of them. */
const MAX_BYTES = 32 * 1024 * 1024
/** For what a value has around it. */
const ROOM = 64
const QUOTE = 0x22
const NEWLINE = 0x0a

/**
 * Documents whose fields come from several places and must not clash. Which fields there are follows from the keys of
 * the record, its scope and its resource, the same for all records of one place in a program: it is found out once, as
 * a plan, and each record only puts its values in.
 */
export class FieldMapping implements Mapping {
  /** How often a field did not get the name it asked for, since whoever reads this cleared it. */
  readonly clashes = new Map<Clash, number>()
  readonly #scheme: FieldScheme
  readonly #times = new TimestampWriter('rfc3339')
  readonly #fields = new RecordFields()
  readonly #values = new Values()
  readonly #contexts: FieldContexts
  #shapes = new ShapeReader()
  #json = this.#newJson()
  #planBytes = 0
  #reader = new WireReader(Buffer.alloc(0))
  #view = viewOf(this.#reader.bytes)
  #context: FieldContext = { fields: [], values: [], size: 0, plans: new Map(), bound: new Map() }
  #plan: Plan | undefined
  /** Where the JSON of the body lies in what is written. */
  #jsonStart = 0
  #jsonEnd = 0
  /** Size of the record that was read. */
  #size = 0
  readonly #body = new Member()

  constructor(scheme: FieldScheme) {
    this.#scheme = scheme
    this.#contexts = new FieldContexts(scheme)
  }

  /** What shapes and plans take in memory, about. */
  get keptBytes(): number {
    return this.#shapes.bytes + this.#json.bytes + this.#planBytes
  }

  begin(bytes: Buffer): void {
    this.#open(bytes)
  }

  enterScope(data: BatchData, scope: number, out: JsonWriter): void {
    this.#context = this.#contexts.of(data, scope, this.#shapes, out, this.#writeContextValue)
  }

  read(bytes: Buffer, start: number, end: number): boolean {
    if (this.#reader.bytes !== bytes) this.#open(bytes)
    const reader = this.#reader
    const fields = this.#fields
    reader.pos = start
    fields.read(reader, end)
    if (this.keptBytes > MAX_BYTES) this.#forget()
    reader.pos = start
    this.#values.size = 0
    let shape = this.#shapes.attributes(reader, end, Record.attributes, this.#values)
    const has = this.#findBody() | hasOf(fields)
    if ((has & HAS.map) !== 0 && this.#scheme.flattensBody) {
      reader.pos = this.#body.from
      shape = this.#shapes.body(shape, reader, this.#body.to, this.#values)
    }
    this.#plan = this.#planFor(shape, has)
    this.#size = end - start
    return fields.control
  }

  get room(): number {
    // A value of the context is at most two fields.
    return (this.#plan?.size ?? 0) + this.#context.size * 2
  }

  write(out: JsonWriter, dataStream: Buffer, receivedMs: number): number {
    const { texts, slots, clashes } = this.#plan as Plan
    const reader = this.#reader
    const view = this.#view
    const { spans } = this.#values
    const time = this.#fields.time || this.#fields.observed
    let timeMs = 0
    for (let at = 0; at < slots.length; at++) {
      out.raw(texts[at])
      const slot = slots[at]
      if (slot >= CONTEXT_SLOTS) out.raw(this.#context.values[slot - CONTEXT_SLOTS])
      else if (slot >= VALUE_SLOTS) {
        const value = (slot - VALUE_SLOTS) >> 1
        const start = spans[value * 2]
        const end = spans[value * 2 + 1]
        if ((slot & 1) === 0) {
          reader.pos = start
          out.value(reader, view, end)
        } else this.#json.write(out, reader, view, start, end)
      } else if (slot === SLOT.time) {
        if (time === 0) this.#times.writeMillis(out, receivedMs)
        else this.#times.write(out, view, time)
        timeMs = this.#times.lastMillis
      } else if (slot === SLOT.dataStream) out.raw(dataStream)
      else this.#writeOwn(out, slot)
    }
    out.raw(texts[slots.length])
    out.byte(NEWLINE)
    if (clashes.size > 0) this.#count(clashes)
    return timeMs
  }

  #writeOwn(out: JsonWriter, slot: number): void {
    const reader = this.#reader
    const view = this.#view
    const fields = this.#fields
    const { bytes } = reader
    switch (slot) {
      case SLOT.observed:
        this.#times.write(out, view, fields.observed)
        break
      case SLOT.traceId:
        writeId(out, bytes, fields.traceId, fields.traceIdEnd)
        break
      case SLOT.spanId:
        writeId(out, bytes, fields.spanId, fields.spanIdEnd)
        break
      case SLOT.flags:
        out.integer(fields.flags === 0 ? 0 : view.getUint32(fields.flags, true))
        break
      case SLOT.severityNumber:
        out.signed(fields.severityNumber)
        break
      case SLOT.severityText:
        out.text(bytes, view, fields.severityText, fields.severityTextEnd)
        break
      case SLOT.level:
        if (fields.severityText === fields.severityTextEnd) out.ascii(`"${levelOf(fields.severityNumber)}"`)
        else out.text(bytes, view, fields.severityText, fields.severityTextEnd)
        break
      case SLOT.eventName:
        out.text(bytes, view, fields.eventName, fields.eventNameEnd)
        break
      case SLOT.text:
        reader.pos = fields.body
        out.value(reader, view, fields.bodyEnd)
        break
      case SLOT.structured:
        this.#writeStructured(out)
        break
      case SLOT.json:
        this.#writeAsText(out)
        break
      case SLOT.body:
        this.#json.write(out, reader, view, fields.body, fields.bodyEnd)
        break
    }
  }

  /** As in the OTel mapping mode: what is no map, nor a list of them, stands in a map. */
  #writeStructured(out: JsonWriter): void {
    const { body, bodyEnd } = this.#fields
    const reader = this.#reader
    const { tag } = this.#body
    const isMap = tag === AnyValue.kvlist || (tag === AnyValue.array && isListOfMaps(reader, body, bodyEnd))
    if (!isMap) out.ascii('{"value":')
    this.#jsonStart = out.pos
    this.#json.write(out, reader, this.#view, body, bodyEnd)
    this.#jsonEnd = out.pos
    if (!isMap) out.ascii('}')
  }

  #writeAsText(out: JsonWriter): void {
    const size = this.#jsonEnd - this.#jsonStart
    out.reserve(size * 2 + this.#size * 6 + this.room + ROOM)
    out.text(out.bytes, viewOf(out.bytes), this.#jsonStart, this.#jsonEnd)
  }

  #planFor(shape: Shape, has: number): Plan {
    const { values, plans, bound } = this.#context
    const id = shape.id * HAS.END + has
    const known = bound.get(id)
    if (known === undefined) {
      let plan = plans.get(id)
      if (plan === undefined) plans.set(id, (plan = this.#makePlan(shape, has)))
      bound.set(id, plan)
      return plan
    }
    if (!known.isOpen) return known
    const plan = bind(known, values)
    bound.set(id, plan)
    this.#planBytes += plan.bytes
    return plan
  }

  #makePlan(shape: Shape, has: number): Plan {
    const scheme = this.#scheme
    const own = scheme.own(has).map((field) => ({ ...field, fixed: true, layer: LAYERS.own }))
    const slotOf = ({ isList }: { isList: boolean }, index: number): number =>
      VALUE_SLOTS + index * 2 + Number(isList)
    const fields = [...own, ...fieldsOf(shape, 'record', scheme, slotOf), ...this.#context.fields]
    const plan = planOf(fields, scheme.refuge, scheme.nested)
    this.#planBytes += plan.bytes
    return plan
  }

  readonly #writeContextValue: WriteValue = (out, reader, start, end) => {
    out.reserve((end - start) * 6 + ROOM)
    this.#json.write(out, reader, viewOf(reader.bytes), start, end)
  }

  /** Says what kind of body there is. */
  #findBody(): number {
    const { body, bodyEnd } = this.#fields
    const { tag } = this.#body.find(this.#reader, body, bodyEnd)
    if (tag === 0) return 0
    if (tag === AnyValue.string || tag === AnyValue.bytes) return HAS.text
    return tag === AnyValue.kvlist ? HAS.map : HAS.value
  }

  /** Begins anew with shapes; where the records are stays known. */
  #forget(): void {
    this.#shapes = new ShapeReader()
    this.#json = this.#newJson()
    this.#contexts.clear()
    this.#context = { ...this.#context, plans: new Map(), bound: new Map() }
    this.#planBytes = 0
  }

  #newJson(): ValueJson {
    return new ValueJson(this.#shapes, (clashes) => this.#count(clashes))
  }

  #count(clashes: ReadonlyMap<Clash, number>): void {
    for (const [clash, times] of clashes) this.clashes.set(clash, (this.clashes.get(clash) ?? 0) + times)
  }

  #open(bytes: Buffer): void {
    this.#reader = new WireReader(bytes)
    this.#view = viewOf(bytes)
  }
}

/** What a record has, besides its body. */
function hasOf(fields: RecordFields): number {
  const { severityNumber } = fields
  const hasText = fields.severityText !== fields.severityTextEnd
  const hasName = fields.eventName !== fields.eventNameEnd && !fields.namedByAttribute
  return (
    (fields.observed === 0 ? 0 : HAS.observed) |
    (fields.traceId === fields.traceIdEnd ? 0 : HAS.traceId) |
    (fields.spanId === fields.spanIdEnd ? 0 : HAS.spanId) |
    (severityNumber === 0 ? 0 : HAS.severityNumber) |
    (hasText ? HAS.severityText : 0) |
    (hasText || levelOf(severityNumber) !== undefined ? HAS.level : 0) |
    (hasName ? HAS.eventName : 0)
  )
}

function writeId(out: JsonWriter, bytes: Buffer, start: number, end: number): void {
  out.byte(QUOTE)
  out.hex(bytes, start, end)
  out.byte(QUOTE)
}
