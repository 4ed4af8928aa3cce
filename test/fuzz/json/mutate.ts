import type { Random } from '../random.ts'
import { changeBytes } from '../wire/mutate.ts'
import { anyRequest, anyString, anyValue, NUMBERS } from './grammar.ts'

const LARGEST = 64 * 1024
const MOST_CHANGES = 4
const REPEATS = [2, 5, 70, 300]
/** Around the limits of values, of values that nobody reads, and beyond all. */
const LEVELS = [1, 20, 21, 22, 63, 64, 65, 999, 1000, 1001, 10_000]
const TOKEN = /"(?:[^"\\]|\\.)*"?|-?[0-9][0-9.eE+-]*|[a-z]+|[{}[\],:]|\s+|./gsu

type Change = (tokens: string[], random: Random, donor: readonly string[]) => void

/** Changes a text token by token, and sometimes byte by byte; or makes a new one. */
export function mutateJson(input: Buffer, other: Buffer, random: Random): Buffer {
  if (random.chance(0.1)) return changeBytes(input, random)
  if (random.chance(0.1)) return Buffer.from(anyRequest(random))
  const tokens = tokensOf(input)
  const donor = tokensOf(other)
  for (let left = 1 + random.below(MOST_CHANGES); left > 0; left--)
    random.pick(CHANGES)(tokens, random, donor)
  const bytes = Buffer.from(tokens.join(''))
  return bytes.length > LARGEST ? bytes.subarray(0, LARGEST) : bytes
}

const tokensOf = (bytes: Buffer): string[] => bytes.toString().match(TOKEN) ?? []

const CHANGES: readonly Change[] = [
  // Strings and numbers are changed more often than what is around them.
  changeValue,
  changeValue,
  changeValue,
  nest,
  (tokens, random) => void tokens.splice(random.below(tokens.length + 1), 1 + random.below(3)),
  (tokens, random) => {
    const [from, to] = valueAt(tokens, random)
    const copies = Array.from({ length: random.pick(REPEATS) }, () => `,${tokens.slice(from, to).join('')}`)
    tokens.splice(to, 0, copies.join('').slice(0, LARGEST))
  },
  (tokens, random, donor) => {
    const [from, to] = valueAt(tokens, random)
    const [start, end] = valueAt(donor, random)
    tokens.splice(from, to - from, ...donor.slice(start, end))
  },
  (tokens, random) => {
    const at = tokens.indexOf('{', random.below(tokens.length + 1))
    const member = `${anyString(random)}:${anyValue(random, 0)}`
    if (at !== -1) tokens.splice(at + 1, 0, tokens[at + 1] === '}' ? member : `${member},`)
  },
  duplicateMember,
]

function changeValue(tokens: string[], random: Random): void {
  const at = random.below(tokens.length + 1)
  if (tokens[at] === undefined || tokens[at + 1] === ':') return
  if (tokens[at].startsWith('"'))
    tokens[at] = random.chance(0.7) ? anyString(random) : `"${random.pick(NUMBERS)}"`
  else if (/^[-0-9a-z]/.test(tokens[at]))
    tokens[at] = random.pick([random.pick(NUMBERS), anyValue(random, 0)])
}

/** Puts a value into values of OTLP or arrays, as deep as may be or deeper. */
function nest(tokens: string[], random: Random): void {
  const [from, to] = valueAt(tokens, random)
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"arrayValue":{"values":[', ']}}'],
    ['{"kvlistValue":{"values":[{"key":"k","value":', '}]}}'],
  ])
  const levels = random.pick(LEVELS)
  tokens.splice(from, to - from, open.repeat(levels), ...tokens.slice(from, to), close.repeat(levels))
}

/** Says one member of an object twice. */
function duplicateMember(tokens: string[], random: Random): void {
  const key = tokens.indexOf(':', random.below(tokens.length + 1)) - 1
  if (key < 0) return
  const end = endOf(tokens, key + 2)
  tokens.splice(key, 0, ...tokens.slice(key, end), ',')
}

/** The tokens of one value. */
function valueAt(tokens: readonly string[], random: Random): [from: number, to: number] {
  let from = random.below(tokens.length + 1)
  while (from < tokens.length && /^[\]},:\s]/.test(tokens[from])) from++
  return [from, endOf(tokens, from)]
}

function endOf(tokens: readonly string[], from: number): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    if (tokens[at] === '{' || tokens[at] === '[') depth++
    if (tokens[at] === '}' || tokens[at] === ']') depth--
    if (depth <= 0) return at + 1
  }
  return tokens.length
}
