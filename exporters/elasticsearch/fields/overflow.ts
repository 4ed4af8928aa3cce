import type { MappingMode } from '../../../src/logs/ndjson/mapping.ts'
import { type Member, membersOf, OPEN } from './json-members.ts'

/** How documents of a mapping mode hold attributes, and the field that those of data-made names move to. */
export interface OverflowShape {
  /** A field that the template maps as `flattened`, `flat_object` in OpenSearch. */
  readonly field: string
  /** Where the attributes are. */
  readonly container: string
  /** Names stand in full, dots included; otherwise dots make objects. */
  readonly isFlat: boolean
  /** Objects with fields of the exporter's own, which stay where they are. */
  readonly own: ReadonlySet<string>
}

/** Where attributes move to, by mode: templates map these fields as flattened. */
export const OVERFLOW_FIELDS = { otel: 'attributes_overflow', ecs: 'labels_overflow' } as const

/** The modes whose attributes can move. */
export const OVERFLOW: Readonly<Partial<Record<MappingMode, OverflowShape>>> = {
  otel: { field: OVERFLOW_FIELDS.otel, container: 'attributes', isFlat: true, own: new Set() },
  ecs: {
    field: OVERFLOW_FIELDS.ecs,
    container: '',
    isFlat: false,
    own: new Set([
      'data_stream',
      'log',
      'trace',
      'span',
      'event',
      'body',
      'service',
      'host',
      OVERFLOW_FIELDS.ecs,
    ]),
  },
}

/** Attributes below a name, without its last dot: `user` stands for `user.8421.visits` and all like it. */
export class Moved {
  readonly name: string
  /** What a document holds that has any. */
  readonly #sign: Buffer
  readonly #shape: OverflowShape
  readonly #parts: readonly string[]
  readonly #prefix: Buffer

  constructor(name: string, shape: OverflowShape) {
    this.name = name
    this.#shape = shape
    this.#parts = name.split('.')
    const inner = JSON.stringify(`${name}.`).slice(1, -1)
    this.#prefix = Buffer.from(inner)
    const last = JSON.stringify(this.#parts.at(-1))
    this.#sign = Buffer.from(shape.isFlat ? `"${inner}` : `${last}:{`)
  }

  /** The members of the document at `[start, end)` that are to move, none in most. */
  find(bytes: Buffer, start: number, end: number): Member[] {
    const at = bytes.indexOf(this.#sign, start)
    if (at === -1 || at >= end) return []
    return this.#shape.isFlat ? this.#findFlat(bytes, start) : this.#findNested(bytes, start)
  }

  #findFlat(bytes: Buffer, start: number): Member[] {
    const attributes = memberCalled(bytes, start, this.#shape.container)
    if (attributes === undefined) return []
    const prefix = this.#prefix
    return [...membersOf(bytes, attributes.valueStart)].filter(
      ({ keyStart }) => bytes.compare(prefix, 0, prefix.length, keyStart, keyStart + prefix.length) === 0,
    )
  }

  #findNested(bytes: Buffer, start: number): Member[] {
    let at = start
    let found: Member | undefined
    for (const part of this.#parts) {
      found = memberCalled(bytes, at, part)
      if (found === undefined || bytes[found.valueStart] !== OPEN) return []
      at = found.valueStart
    }
    return found === undefined ? [] : [found]
  }

  /** The key that a member has in the overflow: its whole name. */
  keyOf(bytes: Buffer, { keyStart, keyEnd }: Member): Buffer {
    return this.#shape.isFlat ? bytes.subarray(keyStart, keyEnd) : this.#prefix.subarray(0, -1)
  }
}

function memberCalled(bytes: Buffer, at: number, name: string): Member | undefined {
  const key = Buffer.from(JSON.stringify(name).slice(1, -1))
  for (const member of membersOf(bytes, at)) {
    const { keyStart, keyEnd } = member
    if (keyEnd - keyStart === key.length && bytes.compare(key, 0, key.length, keyStart, keyEnd) === 0) {
      return member
    }
  }
  return undefined
}

/** A document whose attributes were moved, and how many by the name they are below. */
export interface MovedDocument {
  readonly document: Buffer
  readonly moved: ReadonlyMap<string, number>
}

const COMMA = 0x2c

/**
 * Moves attributes of the document at `[start, end)`, a line, into the one field for those of data-made names; their
 * values stay byte for byte. Undefined where there are none.
 */
export function moveAttributes(
  bytes: Buffer,
  start: number,
  end: number,
  prefixes: readonly Moved[],
  { field }: OverflowShape,
): MovedDocument | undefined {
  const moves = prefixes.flatMap((prefix) =>
    prefix.find(bytes, start, end).map((member) => ({ member, key: prefix.keyOf(bytes, member), prefix })),
  )
  if (moves.length === 0) return undefined
  moves.sort((a, b) => a.member.keyStart - b.member.keyStart)

  const kept: Buffer[] = []
  const overflow: Buffer[] = []
  const moved = new Map<string, number>()
  let pos = start
  for (const { member, key, prefix } of moves) {
    const { keyStart, valueStart, valueEnd } = member
    kept.push(bytes.subarray(pos, keyStart - 1))
    pos = valueEnd
    // One of the commas around it goes with it.
    if (bytes[pos] === COMMA) pos++
    else dropComma(kept)
    overflow.push(Buffer.from(overflow.length === 0 ? '"' : ',"'), key, Buffer.from('":'))
    overflow.push(bytes.subarray(valueStart, valueEnd))
    moved.set(prefix.name, (moved.get(prefix.name) ?? 0) + 1)
  }
  const lastBrace = end - '}\n'.length
  kept.push(bytes.subarray(pos, lastBrace))
  const document = Buffer.concat([...kept, Buffer.from(`,"${field}":{`), ...overflow, Buffer.from('}}\n')])
  return { document, moved }
}

/** Takes back the comma that was written last, past pieces that are empty. */
function dropComma(pieces: Buffer[]): void {
  for (let at = pieces.length - 1; at >= 0; at--) {
    const piece = pieces[at]
    if (piece.length === 0) continue
    if (piece[piece.length - 1] === COMMA) pieces[at] = piece.subarray(0, -1)
    return
  }
}
