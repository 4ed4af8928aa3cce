import type { DescMessage } from '@bufbuild/protobuf'
import { FIXED32, FIXED64, LEN, VARINT } from '../../../src/logs/wire.ts'

/** Wire bytes taken apart as far as they can be, so that they can be put together wrongly. */
export interface Field {
  /** -1: `content` stands as it is, without a tag. */
  tag: number
  /** All that follows the tag and, where there is one, the length. */
  content: Buffer
  /** The fields of the message that this is, in place of `content`. */
  message?: MessageTree
  /** Bytes that the tag and the length take beyond those they need. */
  padding?: number
  /** Added to the length. */
  lie?: number
}

export interface MessageTree {
  /** Undefined where no message of OTLP is known to be. */
  readonly schema: DescMessage | undefined
  fields: Field[]
}

const DEEPEST = 100

export function parse(bytes: Buffer, schema: DescMessage | undefined, depth = 0): MessageTree {
  const fields: Field[] = []
  let at = 0
  while (at < bytes.length) {
    const field = parseField(bytes, at, schema, depth)
    if (field === undefined) {
      fields.push({ tag: -1, content: bytes.subarray(at) })
      break
    }
    fields.push(field.field)
    at = field.end
  }
  return { schema, fields }
}

function parseField(
  bytes: Buffer,
  start: number,
  schema: DescMessage | undefined,
  depth: number,
): { readonly field: Field; readonly end: number } | undefined {
  const [tag, at] = varintAt(bytes, start)
  if (at === -1 || tag > 0xffffffff) return undefined
  switch (tag & 7) {
    case VARINT: {
      const end = varintAt(bytes, at)[1]
      return end === -1 ? undefined : { field: { tag, content: bytes.subarray(at, end) }, end }
    }
    case FIXED64:
    case FIXED32: {
      const end = at + ((tag & 7) === FIXED64 ? 8 : 4)
      return end > bytes.length ? undefined : { field: { tag, content: bytes.subarray(at, end) }, end }
    }
    case LEN: {
      const [size, from] = varintAt(bytes, at)
      if (from === -1 || from + size > bytes.length) return undefined
      const content = bytes.subarray(from, from + size)
      const inner = schema?.fields.find(({ number }) => number === tag >>> 3)?.message
      const field: Field = { tag, content }
      if (inner !== undefined && depth < DEEPEST) field.message = parse(content, inner, depth + 1)
      return { field, end: from + size }
    }
    default:
      return undefined
  }
}

/** A varint and where it ends, -1 where it does not. */
function varintAt(bytes: Buffer, start: number): [value: number, end: number] {
  let value = 0
  for (let at = start, scale = 1; at < bytes.length && at < start + 10; at++, scale *= 0x80) {
    value += (bytes[at] & 0x7f) * scale
    if (bytes[at] < 0x80) return [value, at + 1]
  }
  return [0, -1]
}

export function write({ fields }: MessageTree): Buffer {
  return Buffer.concat(
    fields.flatMap(({ tag, content, message, padding = 0, lie = 0 }) => {
      const inner = message === undefined ? content : write(message)
      if (tag < 0) return [inner]
      if ((tag & 7) !== LEN) return [varint(tag, padding), inner]
      return [varint(tag), varint(Math.max(0, inner.length + lie), padding), inner]
    }),
  )
}

export function varint(value: number | bigint, padding = 0): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  } while (rest > 0n)
  for (let i = 0; i < padding; i++) bytes.push(0x80)
  bytes[bytes.length - 1] &= 0x7f
  return Buffer.from(bytes)
}

/** All messages in a message, itself included. */
export function messagesIn(tree: MessageTree): MessageTree[] {
  return [tree, ...tree.fields.flatMap(({ message }) => (message === undefined ? [] : messagesIn(message)))]
}
