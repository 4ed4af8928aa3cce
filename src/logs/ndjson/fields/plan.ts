import { copyToKeep } from '../../../memory.ts'
import { type Clash, type Field, type FieldNode, fieldTree } from './field-tree.ts'
import { SLOT } from './scheme.ts'

/** An object to be written: text and values take turns, text is first and last. */
export interface Plan {
  readonly texts: readonly Buffer[]
  readonly slots: readonly number[]
  /** Some of the values are the context's. */
  readonly isOpen: boolean
  /** Bytes of the texts. */
  readonly size: number
  readonly clashes: ReadonlyMap<Clash, number>
  /** What it takes in memory, about. */
  readonly bytes: number
}

/** For the objects of a plan, and for each of its texts. */
const PLAN_BYTES = 500
const TEXT_BYTES = 100

/** Slots from here on are values of the record: twice their number, and one more for a list with maps in it. */
export const VALUE_SLOTS = 64
/** Slots from here on are values of the context. */
export const CONTEXT_SLOTS = 2 ** 24

/** How to write an object of `fields`, which come in the order of their rank. */
export function planOf(fields: readonly Field[], refuge: string | undefined, nested: boolean): Plan {
  const { root, clashes } = fieldTree(fields, refuge)
  const writer = new PlanWriter()
  writer.text('{')
  if (nested) writer.members(root)
  else writer.flatMembers(root, '')
  writer.text('}')
  return writer.plan(clashes)
}

/** The same with the values of a context in it, by their number. */
export function bind({ texts, slots, clashes }: Plan, values: readonly Buffer[]): Plan {
  const writer = new PlanWriter()
  slots.forEach((slot, index) => {
    writer.bytes(texts[index])
    if (slot >= CONTEXT_SLOTS) writer.bytes(values[slot - CONTEXT_SLOTS])
    else writer.value(slot)
  })
  writer.bytes(texts[slots.length])
  return writer.plan(clashes)
}

class PlanWriter {
  readonly #texts: Buffer[] = []
  readonly #slots: number[] = []
  #pieces: Buffer[] = []
  #first = true

  text(text: string): void {
    this.#pieces.push(Buffer.from(text))
  }

  bytes(bytes: Buffer): void {
    this.#pieces.push(bytes)
  }

  value(slot: number): void {
    this.#texts.push(Buffer.concat(this.#pieces))
    this.#pieces = []
    this.#slots.push(slot)
  }

  members({ children }: FieldNode): void {
    for (const child of children.values()) {
      if (child.slot === undefined) {
        this.#key(child.name)
        this.text('{')
        this.#first = true
        this.members(child)
        this.text('}')
      } else this.#member(child.name, child.slot)
    }
  }

  flatMembers({ children }: FieldNode, prefix: string): void {
    for (const child of children.values()) {
      const name = prefix + child.name
      if (child.slot === undefined) this.flatMembers(child, `${name}.`)
      else this.#member(name, child.slot)
    }
  }

  plan(clashes: Plan['clashes']): Plan {
    const pieces = [...this.#texts, Buffer.concat(this.#pieces)]
    const whole = copyToKeep(Buffer.concat(pieces))
    const size = whole.length
    let at = 0
    const texts = pieces.map(({ length }) => {
      at += length
      return whole.subarray(at - length, at)
    })
    const bytes = PLAN_BYTES + texts.length * TEXT_BYTES + size
    const slots = this.#slots
    return { texts, slots, isOpen: slots.some((slot) => slot >= CONTEXT_SLOTS), size, clashes, bytes }
  }

  #member(name: string, slot: number): void {
    // What a target writes there has its comma and its names, or is nothing.
    if (slot !== SLOT.dataStream) this.#key(name)
    this.value(slot)
  }

  #key(name: string): void {
    this.text(`${this.#first ? '' : ','}${JSON.stringify(name)}:`)
    this.#first = false
  }
}
