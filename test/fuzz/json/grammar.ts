import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { RequestSchema } from '../../oracle/oracle.ts'
import type { Random } from '../random.ts'
import { anyText, KEYS } from '../texts.ts'

const DEEPEST = 12
const MOST_ITEMS = 3

/** Numbers as JSON has them, hardly has them, and does not have them. */
export const NUMBERS = [
  '0 -0 -0.0 1 9 24 -1 1.0 1.5e1 1e3 1E+3 1e-7 5e-324 1e400 -1e400 4294967295 4294967296 2147483648',
  '9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809',
  '18446744073709551615 18446744073709551616 1700000000123456789 00 01 +1 .5 1. 1e - 0x10 NaN Infinity 1_000',
  `1${'0'.repeat(400)} 0.${'3'.repeat(400)}`,
].flatMap((some) => some.split(' '))
/** Values that belong nowhere in particular. */
const VALUES = [
  'null',
  'true',
  'false',
  '{}',
  '[]',
  '""',
  '[null]',
  '{"a":{"b":[1,{}]}}',
  'nul',
  'True',
  '\u00a0',
  '',
]
const ESCAPES = [
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud83d',
  '\\ude00\\ud83d',
  '\\u00e9',
  '\\"',
  '\\\\',
  '\\/',
  '\\b\\f\\n\\r\\t',
]
const BAD_ESCAPES = ['\\x', '\\u12', '\\u12g4', '\\', '\\U0041', '\n', '\u0000', '\t']

/** A request in OTLP/JSON that is mostly right. */
export function anyRequest(random: Random): string {
  return message(RequestSchema, random, 0)
}

function message(schema: DescMessage, random: Random, depth: number): string {
  const members = schema.fields
    .filter(() => random.chance(schema.name === 'AnyValue' ? 0.15 : 0.6))
    .map((field) => `${memberName(field, random)}:${space(random)}${fieldValue(field, random, depth)}`)
  if (random.chance(0.05)) members.push(`${quoted(random.pick(KEYS))}:${anyValue(random, depth)}`)
  return `{${space(random)}${members.join(`,${space(random)}`)}}`
}

function memberName(field: DescField, random: Random): string {
  const name = random.chance(0.15) ? field.name : field.jsonName
  return random.chance(0.02) ? `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"` : `"${name}"`
}

function fieldValue(field: DescField, random: Random, depth: number): string {
  if (random.chance(0.03)) return anyValue(random, depth)
  if (field.fieldKind !== 'list') return single(field, random, depth)
  const items = Array.from({ length: random.below(MOST_ITEMS + 1) }, () => single(field, random, depth))
  return `[${items.join(',')}]`
}

function single(field: DescField, random: Random, depth: number): string {
  if (field.message !== undefined) return depth < DEEPEST ? message(field.message, random, depth + 1) : '{}'
  if (field.fieldKind === 'enum')
    return random.pick(['9', '24', '"SEVERITY_NUMBER_INFO"', '"INFO"', '-1', '2147483648'])
  if (field.name.endsWith('_id')) return id(field.name === 'trace_id' ? 32 : 16, random)
  switch (field.scalar) {
    case ScalarType.BOOL:
      return random.pick(['true', 'false'])
    case ScalarType.STRING:
    case undefined:
      return anyString(random)
    case ScalarType.BYTES:
      return `"${random.bytes(random.below(20)).toString(random.pick(['base64', 'base64url', 'hex']))}"`
    default:
      return random.chance(0.5) ? random.pick(NUMBERS) : `"${random.pick(NUMBERS)}"`
  }
}

function id(digits: number, random: Random): string {
  const hex = random.bytes(digits / 2).toString('hex')
  return `"${random.pick([hex, hex, hex.toUpperCase(), '', hex.slice(1), `${hex}00`, hex.replace(/^./, 'g')])}"`
}

export function anyValue(random: Random, depth: number): string {
  switch (random.below(4)) {
    case 0:
      return random.pick(NUMBERS)
    case 1:
      return anyString(random)
    case 2:
      return depth < DEEPEST ? `[${anyValue(random, depth + 1)},{"a":${anyValue(random, depth + 1)}}]` : '[]'
    default:
      return random.pick(VALUES)
  }
}

export function anyString(random: Random): string {
  if (random.chance(0.03)) return `"${random.pick(BAD_ESCAPES)}"`
  return random.chance(0.2) ? `"${random.pick(ESCAPES)}${random.pick(ESCAPES)}"` : quoted(anyText(random))
}

const quoted = (text: string): string => JSON.stringify(text)

function space(random: Random): string {
  return random.chance(0.05) ? random.pick([' ', '\n', '\t', '\r\n ', '\u00a0', '\v']) : ''
}
