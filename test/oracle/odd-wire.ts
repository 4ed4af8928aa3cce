import type { DescField, DescMessage, DescOneof, Message } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { type Request, RequestSchema } from './oracle.ts'

/** How far the bytes go from what a usual writer would make; `rate` 0 changes nothing. */
export interface Oddity {
  readonly seed: number
  readonly rate: number
}

/**
 * Writes a request as no usual library does but protobuf allows: fields in any order, numbers in more bytes
 * than they need or with bits beyond their type, defaults written out, unknown fields, scalars and members of a
 * oneof that later ones replace, messages in several pieces that readers merge.
 * https://protobuf.dev/programming-guides/encoding/
 */
export function oddBytes(request: Request, { seed, rate }: Oddity): Buffer {
  return Buffer.concat(new OddWriter(randomFrom(seed), rate).message(RequestSchema, request))
}

const VARINT = 0
const FIXED64 = 1
const LEN = 2
const FIXED32 = 5
/** None is known to OTLP anywhere; 1000 and, in a record, 4 are reserved, 2000 is the envelope of `src/logs/`. */
const UNKNOWN_FIELDS = [13, 15, 16, 100, 1000, 2000, 2047, 2048, 536_870_911]
const OLD_RECORD_NAME = 4
const LONGEST_TAG = 5
const LONGEST_VARINT = 10
/** A KeyValueList with an empty key and an ArrayValue with an empty text at once. */
const ANY_LIST = Buffer.from([0x0a, 0x02, 0x0a, 0x00])

class OddWriter {
  readonly #random: () => number
  readonly #rate: number

  constructor(random: () => number, rate: number) {
    this.#random = random
    this.#rate = rate
  }

  /** The fields of a message, one a buffer. */
  message(schema: DescMessage, message: Message): Buffer[] {
    const content = message as unknown as Readonly<Record<string, unknown>>
    const lanes = schema.members.map((member) =>
      member.kind === 'oneof'
        ? this.#oneof(member, content[member.localName])
        : this.#field(member, content[member.localName]),
    )
    while (this.#maybe()) lanes.push([this.#unknown(schema)])
    return this.#interleave(lanes)
  }

  #field(field: DescField, value: unknown): Buffer[] {
    if (field.fieldKind === 'list') {
      return (value as unknown[]).flatMap((item) =>
        field.listKind === 'message'
          ? [this.#len(field.number, Buffer.concat(this.message(field.message, item as Message)))]
          : [this.#scalar(field.number, ScalarType.STRING, item)],
      )
    }
    if (field.fieldKind === 'message') {
      return value === undefined
        ? []
        : this.#pieces(field.number, this.message(field.message, value as Message))
    }
    const type = scalarOf(field)
    const lane: Buffer[] = []
    while (this.#maybe()) lane.push(this.#scalar(field.number, type, this.#anyScalar(type)))
    if (lane.length > 0 || !isDefault(value) || this.#maybe())
      lane.push(this.#scalar(field.number, type, value))
    return lane
  }

  #oneof({ fields }: DescOneof, oneof: unknown): Buffer[] {
    const { case: kind, value } = oneof as { case: string | undefined; value: unknown }
    const field = fields.find(({ localName }) => localName === kind)
    if (field === undefined) return []
    const replaced: DescField[] = []
    while (this.#maybe()) replaced.push(this.#pick(fields))
    if (field.fieldKind === 'message') {
      // One of the same kind right before would be merged, not replaced.
      if (replaced.at(-1) === field) replaced.push(this.#pick(fields.filter((other) => other !== field)))
      const pieces = this.#pieces(field.number, this.message(field.message, value as Message))
      return [...replaced.map((other) => this.#anyMember(other)), ...pieces]
    }
    return [
      ...replaced.map((other) => this.#anyMember(other)),
      this.#scalar(field.number, scalarOf(field), value),
    ]
  }

  #anyMember(field: DescField): Buffer {
    if (field.fieldKind === 'message')
      return this.#len(field.number, this.#random() < 0.5 ? ANY_LIST : Buffer.alloc(0))
    return this.#scalar(field.number, scalarOf(field), this.#anyScalar(scalarOf(field)))
  }

  /** One message as several fields of the same number, which readers put together again. */
  #pieces(number: number, fields: readonly Buffer[]): Buffer[] {
    const pieces: Buffer[] = []
    let from = 0
    for (let at = 0; at <= fields.length; at++) {
      if (at < fields.length && !this.#maybe()) continue
      pieces.push(this.#len(number, Buffer.concat(fields.slice(from, at))))
      from = at
    }
    return pieces
  }

  #unknown(schema: DescMessage): Buffer {
    const reserved = schema.name === 'LogRecord' ? [OLD_RECORD_NAME] : []
    const number = this.#pick([...UNKNOWN_FIELDS, ...reserved])
    const bits = BigInt(Math.floor(this.#random() * 2 ** 53))
    switch (this.#pick([VARINT, FIXED64, LEN, FIXED32])) {
      case VARINT:
        return Buffer.concat([this.#tag(number, VARINT), this.#varint(bits)])
      case FIXED64:
        return Buffer.concat([this.#tag(number, FIXED64), fixed(bits, 8)])
      case FIXED32:
        return Buffer.concat([this.#tag(number, FIXED32), fixed(bits, 4)])
      default:
        return this.#len(number, fixed(bits, this.#pick([0, 1, 7, 200])))
    }
  }

  #scalar(number: number, type: ScalarType, value: unknown): Buffer {
    switch (type) {
      case ScalarType.STRING:
        return this.#len(number, Buffer.from(value as string))
      case ScalarType.BYTES:
        return this.#len(number, Buffer.from(value as Uint8Array))
      case ScalarType.FIXED32:
        return Buffer.concat([this.#tag(number, FIXED32), fixed(BigInt(value as number), 4)])
      case ScalarType.FIXED64:
        return Buffer.concat([this.#tag(number, FIXED64), fixed(value as bigint, 8)])
      case ScalarType.DOUBLE: {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleLE(value as number)
        return Buffer.concat([this.#tag(number, FIXED64), bytes])
      }
      default:
        return Buffer.concat([this.#tag(number, VARINT), this.#varint(this.#widened(type, value))])
    }
  }

  /** The 64 bits that stand for a number or bool; those that its type does not use may be anything. */
  #widened(type: ScalarType, value: unknown): bigint {
    const bits = BigInt.asUintN(64, BigInt(value as number | bigint | boolean))
    if (type === ScalarType.INT64 || !this.#maybe()) return bits
    if (type === ScalarType.BOOL) return value === true ? this.#pick([2n, 1n << 40n, 1n << 63n]) : 0n
    return BigInt.asUintN(32, bits) | (BigInt(Math.floor(this.#random() * 2 ** 32)) << 32n)
  }

  #anyScalar(type: ScalarType): unknown {
    switch (type) {
      case ScalarType.STRING:
        return this.#pick(['', 'replaced', 'é'.repeat(40)])
      case ScalarType.BYTES:
        return Buffer.alloc(this.#pick([0, 1, 8, 16]), 0xab)
      case ScalarType.FIXED64:
      case ScalarType.INT64:
        return this.#pick([0n, 1n, 2n ** 62n])
      case ScalarType.BOOL:
        return this.#random() < 0.5
      case ScalarType.DOUBLE:
        return 0.5
      default:
        return this.#pick([0, 1, 300])
    }
  }

  #len(number: number, content: Buffer): Buffer {
    return Buffer.concat([this.#tag(number, LEN), this.#varint(BigInt(content.length), LONGEST_TAG), content])
  }

  #tag(number: number, wireType: number): Buffer {
    return this.#varint(BigInt(number * 8 + wireType), LONGEST_TAG)
  }

  #varint(value: bigint, longest = LONGEST_VARINT): Buffer {
    const bytes: number[] = []
    for (let rest = value; bytes.length === 0 || rest > 0n; rest >>= 7n) bytes.push(Number(rest & 0x7fn))
    while (bytes.length < longest && this.#maybe()) bytes.push(0)
    return Buffer.from(bytes.map((byte, at) => (at < bytes.length - 1 ? byte | 0x80 : byte)))
  }

  #interleave(lanes: readonly (readonly Buffer[])[]): Buffer[] {
    if (!this.#maybe()) return lanes.flat()
    const rest = lanes.filter((lane) => lane.length > 0).map((lane) => [...lane])
    const fields: Buffer[] = []
    while (rest.length > 0) {
      const lane = this.#pick(rest)
      fields.push(lane.shift() as Buffer)
      if (lane.length === 0) rest.splice(rest.indexOf(lane), 1)
    }
    return fields
  }

  #maybe(): boolean {
    return this.#random() < this.#rate
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]
  }
}

function scalarOf(field: DescField): ScalarType {
  if (field.fieldKind === 'enum') return ScalarType.INT32
  if (field.fieldKind === 'scalar') return field.scalar
  throw new Error(`${field.name} is no scalar`)
}

function isDefault(value: unknown): boolean {
  return value === '' || value === 0 || value === 0n || (value instanceof Uint8Array && value.length === 0)
}

function fixed(bits: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at++) bytes[at] = Number((bits >> BigInt(at * 8)) & 0xffn)
  return bytes
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
