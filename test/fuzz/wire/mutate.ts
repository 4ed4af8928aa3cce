import { FIXED32, FIXED64, LEN, VARINT } from '../../../src/logs/wire.ts'
import { RequestSchema } from '../../oracle/oracle.ts'
import type { Random } from '../random.ts'
import { anyText, KEYS, NOT_UTF8 } from '../texts.ts'
import { type Field, type MessageTree, messagesIn, parse, varint, write } from './tree.ts'

const LARGEST = 64 * 1024
const MOST_CHANGES = 4
const REPEATS = [2, 3, 16, 65]
const LEVELS = [1, 3, 40, 62, 63, 64, 65, 66, 500]

const VARINTS = [
  '0 1 9 24 25 127 128 16383 16384 -200 13812345678 4111111111111111 -4111111111111111 110105194912310029',
  '2147483647 2147483648 4294967295 4294967296 9007199254740991 9007199254740992 9007199254740993',
  '9223372036854775807 9223372036854775808 18446744073709551615',
].flatMap((some) => some.split(' ').map(BigInt))
const DOUBLES = [
  0,
  -0,
  1,
  0.1,
  1e20,
  1e21,
  -1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  Number.NaN,
  -Infinity,
  2 ** 53,
]
const TIMES = [
  0n,
  1n,
  999_999n,
  10n ** 9n,
  1_700_000_000_123_456_789n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]

type Change = (message: MessageTree, random: Random, other: MessageTree) => void

/** Changes a request as a protobuf message, and sometimes as mere bytes. */
export function mutateWire(input: Buffer, other: Buffer, random: Random): Buffer {
  if (random.chance(0.1)) return changeBytes(input, random)
  const tree = parse(input, RequestSchema)
  const donor = parse(other, RequestSchema)
  for (let left = 1 + random.below(MOST_CHANGES); left > 0; left--) {
    random.pick(CHANGES)(random.pick(messagesIn(tree)), random, donor)
  }
  const bytes = write(tree)
  if (bytes.length > LARGEST) return bytes.subarray(0, LARGEST)
  return random.chance(0.05) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

export function changeBytes(input: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(input)
  if (bytes.length === 0) return random.bytes(random.below(20))
  for (let left = 1 + random.below(MOST_CHANGES); left > 0; left--) {
    const at = random.below(bytes.length)
    bytes[at] = random.chance(0.5) ? bytes[at] ^ (1 << random.below(8)) : random.below(256)
  }
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

const CHANGES: readonly Change[] = [
  // Values are changed more often than what holds them.
  changeContent,
  changeContent,
  changeContent,
  addField,
  addField,
  ({ fields }, random) => void fields.splice(random.below(fields.length + 1), 1),
  ({ fields }, random) => {
    const [field] = fields.splice(random.below(fields.length + 1), 1)
    if (field !== undefined) fields.splice(random.below(fields.length + 1), 0, field)
  },
  (message, random) => {
    if (message.fields.length === 0) return
    const at = random.below(message.fields.length)
    const copies = Array.from({ length: random.pick(REPEATS) }, () => message.fields[at])
    message.fields.splice(at, 1, ...copies.map((field) => structuredCopy(field)))
  },
  splice,
  splice,
  nest,
  split,
  (message, random) => withField(message, random, (field) => (field.padding = 1 + random.below(9))),
  (message, random) =>
    withField(message, random, (field) => (field.lie = random.pick([-1, 1, 2, 1e6, 2 ** 32]))),
  (message, random) =>
    withField(message, random, (field) => {
      if (field.tag > 0)
        field.tag = random.chance(0.5) ? (field.tag & ~7) | random.below(8) : anyTag(message, random)
    }),
]

function withField({ fields }: MessageTree, random: Random, change: (field: Field) => void): void {
  if (fields.length > 0) change(random.pick(fields))
}

/** A field that the message knows, or one that it does not. */
function anyTag({ schema }: MessageTree, random: Random): number {
  const number =
    schema !== undefined && random.chance(0.8)
      ? random.pick(schema.fields).number
      : random.pick([1, 4, 13, 15, 16, 2000, 2047, 2048, 2 ** 29 - 1])
  return number * 8 + random.pick([VARINT, FIXED64, LEN, FIXED32])
}

function changeContent(message: MessageTree, random: Random): void {
  withField(message, random, (field) => {
    delete field.message
    field.content = anyContent(field.tag & 7, random)
  })
}

function addField(message: MessageTree, random: Random): void {
  const { schema, fields } = message
  const known = schema === undefined ? undefined : random.pick(schema.fields)
  let tag = anyTag(message, random)
  let content = anyContent(tag & 7, random)
  if (known?.message !== undefined) {
    tag = known.number * 8 + LEN
    content = random.pick([Buffer.alloc(0), textField(1, random), textField(2, random)])
  }
  fields.splice(random.below(fields.length + 1), 0, { tag, content })
}

function textField(number: number, random: Random): Buffer {
  const text = Buffer.from(random.pick(KEYS))
  return Buffer.concat([Buffer.of(number * 8 + LEN), varint(text.length), text])
}

function anyContent(wireType: number, random: Random): Buffer {
  switch (wireType) {
    case VARINT:
      return random.chance(0.1) ? Buffer.alloc(random.pick([9, 10, 11]), 0xff) : anyVarint(random)
    case FIXED64:
      return random.chance(0.5) ? double(random.pick(DOUBLES)) : fixed(random.pick(TIMES))
    case FIXED32:
      return fixed(random.pick(VARINTS)).subarray(0, 4)
    default: {
      const text = Buffer.from(anyText(random))
      if (random.chance(0.1))
        return Buffer.concat([text, random.pick(NOT_UTF8), Buffer.from(random.pick(KEYS))])
      return random.chance(0.2) ? random.bytes(random.pick([0, 1, 7, 8, 9, 15, 16, 17])) : text
    }
  }
}

const anyVarint = (random: Random): Buffer =>
  varint(random.chance(0.5) ? random.pick(VARINTS) : random.below(2 ** 32), random.chance(0.1) ? 2 : 0)

/** Takes a field from elsewhere, most often of a message of the same kind. */
function splice(message: MessageTree, random: Random, donor: MessageTree): void {
  const all = messagesIn(donor)
  const alike = all.filter(({ schema }) => schema === message.schema)
  const from = random.pick(alike.length > 0 && random.chance(0.9) ? alike : all)
  if (from.fields.length === 0) return
  message.fields.splice(random.below(message.fields.length + 1), 0, structuredCopy(random.pick(from.fields)))
}

/** Puts a value into arrays or maps. */
function nest(message: MessageTree, random: Random): void {
  if (message.schema?.name !== 'AnyValue') return
  let inner = write(message)
  for (let levels = random.pick(LEVELS); levels > 0; levels--) {
    for (const number of random.chance(0.5) ? [1, 5] : [2, 1, 6]) {
      inner = Buffer.concat([Buffer.of(number * 8 + LEN), varint(inner.length), inner])
    }
    if (inner.length > LARGEST) break
  }
  message.fields = [{ tag: -1, content: inner }]
}

/** Writes a message as two, which readers merge. */
function split({ fields }: MessageTree, random: Random): void {
  const at = random.below(fields.length + 1)
  const message = fields[at]?.message
  if (message === undefined) return
  const middle = random.below(message.fields.length + 1)
  const halves = [message.fields.slice(0, middle), message.fields.slice(middle)]
  const pieces = halves.map(
    (half): Field => ({
      tag: fields[at].tag,
      content: Buffer.alloc(0),
      message: { schema: message.schema, fields: half },
    }),
  )
  fields.splice(at, 1, ...pieces)
}

function structuredCopy(field: Field): Field {
  const { message } = field
  if (message === undefined) return { ...field }
  return { ...field, message: { schema: message.schema, fields: message.fields.map(structuredCopy) } }
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

function fixed(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return bytes
}
