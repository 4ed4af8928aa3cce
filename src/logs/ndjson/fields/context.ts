import { copyToKeep } from '../../../memory.ts'
import type { BatchData } from '../../data.ts'
import { Resource, Scope, viewOf, WireReader } from '../../wire.ts'
import type { JsonWriter } from '../json-writer.ts'
import { resourceMessage, scopeMessage, textField } from '../otel-context.ts'
import type { Field } from './field-tree.ts'
import { fieldsOf, LAYERS } from './layers.ts'
import { CONTEXT_SLOTS, type Plan } from './plan.ts'
import type { FieldScheme } from './scheme.ts'
import { type Shape, type ShapeReader, Values } from './shapes.ts'

/** What the records of a scope have in common. */
export interface FieldContext {
  readonly fields: readonly Field[]
  /** The JSON of each value. */
  readonly values: readonly Buffer[]
  /** Bytes of the values. */
  readonly size: number
  /** Plans of records in contexts with the same fields, by the record's shape. */
  plans: Map<number, Plan>
  /** Those that met this context; from the second record on with the values in them. */
  bound: Map<number, Plan>
}

/** What contexts that are kept may take in memory: those of services that send again and again. Large ones are not kept. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_CONTEXT_BYTES = 16 * 1024
/** What a context takes besides its bytes, about. */
const CONTEXT_BYTES = 1500

/** For the quotes of a text. */
const ROOM = 2

/** Writes the AnyValue at `[start, end)` of a message, and reserves the room for it. */
export type WriteValue = (out: JsonWriter, reader: WireReader, start: number, end: number) => void

/** Finds what the records of a scope have in common, and knows it again in later batches. */
export class FieldContexts {
  readonly #scheme: FieldScheme
  readonly #known = new Map<string, FieldContext>()
  #bytes = 0
  /** Contexts with the same fields share their plans. */
  readonly #alike = new Map<string, Pick<FieldContext, 'fields' | 'plans'>>()

  constructor(scheme: FieldScheme) {
    this.#scheme = scheme
  }

  /** Forgets everything, for shapes are about to begin anew. */
  clear(): void {
    this.#known.clear()
    this.#bytes = 0
    this.#alike.clear()
  }

  /** What `out` held stays as it was. */
  of(data: BatchData, scope: number, shapes: ShapeReader, out: JsonWriter, write: WriteValue): FieldContext {
    const resource = resourceMessage(data, scope)
    const scopeBytes = scopeMessage(data, scope)
    const bytes = resource.length + scopeBytes.length
    if (bytes > MAX_CONTEXT_BYTES) return this.#read(resource, scopeBytes, shapes, out, write)
    const key = `${resource.length}:${resource.toString('latin1')}${scopeBytes.toString('latin1')}`
    let context = this.#known.get(key)
    if (context === undefined) {
      context = this.#read(resource, scopeBytes, shapes, out, write)
      this.#bytes += bytes + context.size + CONTEXT_BYTES
      if (this.#bytes > MAX_BYTES) {
        this.#known.clear()
        this.#bytes = 0
      }
      this.#known.set(key, context)
    }
    return context
  }

  #read(
    resource: Buffer,
    scope: Buffer,
    shapes: ShapeReader,
    out: JsonWriter,
    write: WriteValue,
  ): FieldContext {
    const start = out.pos
    const ends: number[] = []
    const shapeOf = (message: Buffer, tag: number): Shape => {
      const reader = new WireReader(message)
      const found = new Values()
      const shape = shapes.attributes(reader, message.length, tag, found)
      for (let value = 0; value < found.size; value++) {
        write(out, reader, found.spans[value * 2], found.spans[value * 2 + 1])
        ends.push(out.pos - start)
      }
      return shape
    }
    const scopeShape = shapeOf(scope, Scope.attributes)
    const ofScope = ends.length
    const resourceShape = shapeOf(resource, Resource.attributes)
    const own: string[] = []
    for (const [name, tag] of [
      [this.#scheme.scopeName, Scope.name],
      [this.#scheme.scopeVersion, Scope.version],
    ] as const) {
      const [from, to] = textField(scope, tag)
      if (name === undefined || (from === to && !this.#scheme.emptyNames)) continue
      own.push(name)
      out.reserve((to - from) * 6 + ROOM)
      out.text(scope, viewOf(scope), from, to)
      ends.push(out.pos - start)
    }
    const id = `${scopeShape.id} ${resourceShape.id} ${own.join(' ')}`
    let alike = this.#alike.get(id)
    if (alike === undefined) {
      const fields = [
        ...fieldsOf(scopeShape, 'scope', this.#scheme, (_, index) => CONTEXT_SLOTS + index),
        ...own.map((name, index) => ({
          name,
          slot: CONTEXT_SLOTS + ofScope + resourceShape.leaves.length + index,
          fixed: false,
          layer: LAYERS.scope,
          fallback: true,
        })),
        ...fieldsOf(resourceShape, 'resource', this.#scheme, (_, index) => CONTEXT_SLOTS + ofScope + index),
      ]
      alike = { fields, plans: new Map() }
      this.#alike.set(id, alike)
    }
    const json = copyToKeep(out.bytes.subarray(start, out.pos))
    out.pos = start
    const values = ends.map((end, index) => json.subarray(ends[index - 1] ?? 0, end))
    return { ...alike, values, size: json.length, bound: new Map() }
  }
}
