import type { AnyValue, KeyValue } from '../../oracle/oracle.ts'

/** A value of OTLP with its kind, as it can be compared and written down without loss. Null is the value that is none. */
export type Value =
  | null
  | { readonly string: string }
  | { readonly bool: boolean }
  | { readonly int: bigint }
  | { readonly double: number }
  /** In hex. */
  | { readonly bytes: string }
  | { readonly array: readonly Value[] }
  | { readonly map: readonly Attribute[] }

export type Attribute = readonly [key: string, value: Value]

/** The value that arrived. */
export function valueOf(any: AnyValue | undefined): Value {
  const { case: kind, value } = any?.value ?? { case: undefined }
  switch (kind) {
    case 'stringValue':
      return { string: value }
    case 'boolValue':
      return { bool: value }
    case 'intValue':
      return { int: value }
    case 'doubleValue':
      return { double: value }
    case 'bytesValue':
      return { bytes: Buffer.from(value).toString('hex') }
    case 'arrayValue':
      return { array: value.values.map(valueOf) }
    case 'kvlistValue':
      return { map: attributesOf(value.values) }
    default:
      return null
  }
}

export const attributesOf = (attributes: readonly KeyValue[]): Attribute[] =>
  attributes.map(({ key, value }) => [key, valueOf(value)])

/** The value with every value in it, itself last, changed. */
export function mapped(value: Value, change: (value: Value) => Value): Value {
  if (value !== null && 'array' in value)
    return change({ array: value.array.map((one) => mapped(one, change)) })
  if (value !== null && 'map' in value)
    return change({ map: value.map.map(([key, one]): Attribute => [key, mapped(one, change)]) })
  return change(value)
}

/** By key: some SDKs keep attributes in no order. */
export const sorted = (attributes: readonly Attribute[]): Attribute[] =>
  attributes.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
