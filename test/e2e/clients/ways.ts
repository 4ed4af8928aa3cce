import { LONE, TELLING, type Telling } from './records.ts'
import { type Attribute, mapped, sorted, type Value } from './values.ts'

const SMALLEST_INT64 = -(2n ** 63n)
const LARGEST_INT64 = 2n ** 63n - 1n

export type Protocol = 'grpc' | 'http' | 'json'
export type Language = 'javascript' | 'python' | 'java'

/** What an SDK is known to make of what it is told. */
interface Ways {
  /** A value that it sends as another one. */
  readonly value: (value: Value, protocol: Protocol) => Value
  /** Attributes that it does not send. */
  readonly lost?: (key: string) => boolean
  /** Its API has no attributes of scopes. */
  readonly noScopeAttributes?: true
}

const WAYS: Readonly<Record<Language, Ways>> = {
  // Its numbers are doubles: whole ones go as integers, and JSON has neither NaN nor the infinities.
  javascript: {
    value(value, protocol) {
      if (value === null) return null
      if ('string' in value) return { string: value.string.toWellFormed() }
      if ('int' in value) return numberOf(Number(value.int), protocol)
      return 'double' in value ? numberOf(value.double, protocol) : value
    },
  },
  // Protobuf does not take half a character, and the attribute is left out.
  python: { value: (value) => value, lost: (key) => LONE.some(([lone]) => lone === key) },
  java: {
    value: (value) =>
      value !== null && 'string' in value
        ? {
            string: value.string
              .toWellFormed()
              .replaceAll('\ufffd', (sign, at) => (value.string[at] === sign ? sign : '?')),
          }
        : value,
    noScopeAttributes: true,
  },
}

/** What its resources and scopes take: no map, no bytes, no lists of several kinds. */
function isSimple(value: Value): boolean {
  if (value === null || 'map' in value || 'bytes' in value) return false
  if (!('array' in value)) return true
  const kinds = new Set(
    value.array.map((one) => (one !== null && isSimple(one) ? Object.keys(one)[0] : 'none')),
  )
  return kinds.size < 2 && !kinds.has('none')
}

const withoutPrototype = (value: Value): Value =>
  value !== null && 'map' in value ? { map: value.map.filter(([key]) => key !== '__proto__') } : value

function numberOf(number: number, protocol: Protocol): Value {
  if (!Number.isInteger(number))
    return protocol === 'json' && !Number.isFinite(number) ? null : { double: number }
  const int = BigInt(protocol === 'json' ? String(number) : number)
  return int >= SMALLEST_INT64 && int <= LARGEST_INT64 ? { int } : { double: number }
}

/**
 * What a client is told. JavaScript's SDK loses keys `__proto__` by itself, and in JSON it says of large numbers that
 * they are integers, of more than 64 bits, which is refused.
 */
export function tellingFor(language: Language, protocol: Protocol): Telling {
  if (language !== 'javascript') return TELLING
  const isFit = (value: Value): boolean => {
    let fit = true
    mapped(value, (one) => {
      const number = one === null ? 0 : 'int' in one ? Number(one.int) : 'double' in one ? one.double : 0
      if (protocol === 'json' && Number.isInteger(number) && Math.abs(number) >= 2 ** 63) fit = false
      return one
    })
    return fit
  }
  const fitting = (attributes: readonly Attribute[]): Attribute[] =>
    attributes
      .filter(([key, value]) => key !== '__proto__' && isFit(value))
      .map(([key, value]) => [key, mapped(value, withoutPrototype)])
  const simple = (attributes: readonly Attribute[]): Attribute[] =>
    fitting(attributes).filter(([, value]) => isSimple(value))
  const { resource, scope, records } = TELLING
  return {
    resource: simple(resource),
    scope: { ...scope, attributes: simple(scope.attributes) },
    records: records
      .filter(({ body }) => isFit(body))
      .map((record) => ({
        ...record,
        body: mapped(record.body, withoutPrototype),
        attributes: fitting(record.attributes),
      })),
  }
}

/** What is to arrive of it. */
export function expectedOf(language: Language, protocol: Protocol, client: string) {
  const { value, lost = () => false, noScopeAttributes } = WAYS[language]
  const attributes = (all: readonly Attribute[]): Attribute[] =>
    sorted(
      all
        .filter(([key]) => !lost(key))
        .map(([key, one]) => [key, mapped(one, (inner) => value(inner, protocol))] as const),
    )
  const { resource, scope, records } = tellingFor(language, protocol)
  return {
    resource: attributes([...resource, ['client', { string: client }]]),
    scope: { ...scope, attributes: noScopeAttributes ? [] : attributes(scope.attributes) },
    records: records.map((record) => ({
      ...record,
      body: mapped(record.body, (inner) => value(inner, protocol)),
      attributes: attributes(record.attributes),
    })),
  }
}
