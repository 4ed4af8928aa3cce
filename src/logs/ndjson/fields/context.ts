import type { BatchData } from '../../data.ts'
import { Resource, Scope, WireReader } from '../../wire.ts'
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
  /** Plans of records in contexts with the same fields, by the record's shape. */
  plans: Map<number, Plan>
  /** The same with the values in them. */
  bound: Map<number, Plan>
}

/** Contexts that are kept: those of services that send again and again. Large ones are not. */
const MAX_CONTEXTS = 256
const MAX_CONTEXT_BYTES = 16 * 1024

/** Writes an AnyValue at `[start, end)` of the message being read, and gives its JSON. */
export type Render = (reader: WireReader, start: number, end: number) => Buffer

/** Finds what the records of a scope have in common, and knows it again in later batches. */
export class FieldContexts {
  readonly #scheme: FieldScheme
  readonly #known = new Map<string, FieldContext>()
  /** Contexts with the same fields share their plans. */
  readonly #alike = new Map<string, Pick<FieldContext, 'fields' | 'plans'>>()

  constructor(scheme: FieldScheme) {
    this.#scheme = scheme
  }

  /** Forgets everything, for shapes are about to begin anew. */
  clear(): void {
    this.#known.clear()
    this.#alike.clear()
  }

  of(data: BatchData, scope: number, shapes: ShapeReader, render: Render): FieldContext {
    const resource = resourceMessage(data, scope)
    const scopeBytes = scopeMessage(data, scope)
    if (resource.length + scopeBytes.length > MAX_CONTEXT_BYTES) {
      return this.#read(resource, scopeBytes, shapes, render)
    }
    const key = `${resource.length}:${resource.toString('latin1')}${scopeBytes.toString('latin1')}`
    let context = this.#known.get(key)
    if (context === undefined) {
      if (this.#known.size >= MAX_CONTEXTS) this.#known.clear()
      context = this.#read(resource, scopeBytes, shapes, render)
      this.#known.set(key, context)
    }
    return context
  }

  #read(resource: Buffer, scope: Buffer, shapes: ShapeReader, render: Render): FieldContext {
    const values: Buffer[] = []
    const shapeOf = (message: Buffer, tag: number): Shape => {
      const reader = new WireReader(message)
      const found = new Values()
      const shape = shapes.attributes(reader, message.length, tag, found)
      for (let value = 0; value < found.size; value++) {
        values.push(render(reader, found.spans[value * 2], found.spans[value * 2 + 1]))
      }
      return shape
    }
    const scopeShape = shapeOf(scope, Scope.attributes)
    const ofScope = values.length
    const resourceShape = shapeOf(resource, Resource.attributes)
    const own: string[] = []
    for (const [name, tag] of [
      [this.#scheme.scopeName, Scope.name],
      [this.#scheme.scopeVersion, Scope.version],
    ] as const) {
      const text = scope.toString('utf8', ...textField(scope, tag))
      if (name === undefined || (text === '' && !this.#scheme.emptyNames)) continue
      own.push(name)
      values.push(Buffer.from(JSON.stringify(text)))
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
    return { fields: alike.fields, plans: alike.plans, values, bound: new Map() }
  }
}
