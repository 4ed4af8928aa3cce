import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AnyValueSchema } from '../../../../oracle/generated/opentelemetry/proto/common/v1/common_pb.js'
import type { RequestInit } from '../../../../oracle/oracle.ts'
import { ALL, type Exchange, type Group, IN_PROTOBUF, type Way } from '../case.ts'

type Value = MessageInitShape<typeof AnyValueSchema>['value']
type Any = { readonly value: NonNullable<Value> }

const string = (value: string): Any => ({ value: { case: 'stringValue', value } })
const int = (value: bigint): Any => ({ value: { case: 'intValue', value } })
const double = (value: number): Any => ({ value: { case: 'doubleValue', value } })
const bool = (value: boolean): Any => ({ value: { case: 'boolValue', value } })
const bytes = (value: Uint8Array): Any => ({ value: { case: 'bytesValue', value } })
const list = (...values: Any[]): Any => ({ value: { case: 'arrayValue', value: { values } } })
const map = (...values: { key: string; value?: Any }[]): Any => ({
  value: { case: 'kvlistValue', value: { values } },
})

/** Each is an attribute, an item of a list and the body of a record. */
const VALUES: readonly (readonly [string, Any, (readonly Way[])?])[] = [
  ['a string', string('text')],
  ['an empty string', string('')],
  ['a string of many scripts', string('naïve 中文 עברית 🙂 e\u0301 \u202e')],
  ['a string with control characters', string('\u0000\u0001\t\r\n\u001b[0m\u007f\u2028')],
  ['a string with quotes and backslashes', string('"\\" \\u0041 </script>')],
  ['a string of 1 MB', string('0123456789'.repeat(100_000))],
  ['true', bool(true)],
  ['false', bool(false)],
  ['the integer 0', int(0n)],
  ['a negative integer', int(-1n)],
  ['an integer beyond 2^53', int(2n ** 53n + 1n)],
  ['the largest 64-bit integer', int(2n ** 63n - 1n)],
  ['the smallest 64-bit integer', int(-(2n ** 63n))],
  ['a double', double(0.1)],
  ['a double without a fraction', double(1)],
  ['the largest double', double(Number.MAX_VALUE)],
  ['the smallest double', double(Number.MIN_VALUE)],
  ['minus zero', double(-0), IN_PROTOBUF],
  ['NaN', double(Number.NaN)],
  ['infinity', double(Number.POSITIVE_INFINITY)],
  ['minus infinity', double(Number.NEGATIVE_INFINITY)],
  ['bytes of every value', bytes(Uint8Array.from({ length: 256 }, (_, at) => at))],
  ['no bytes', bytes(new Uint8Array())],
  ['an empty list', list()],
  [
    'a list of values of all kinds',
    list(string('a'), int(1n), double(1.5), bool(true), bytes(Uint8Array.of(0))),
  ],
  ['a list of lists', list(list(int(1n)), list(), list(list(string(''))))],
  ['an empty map', map()],
  ['a map of maps', map({ key: 'a', value: map({ key: 'b', value: map({ key: 'c', value: int(1n) }) }) })],
  ['a map with a key twice', map({ key: 'a', value: int(1n) }, { key: 'a', value: int(2n) })],
  ['a map with an empty key', map({ key: '', value: string('x') })],
  [
    'a map with keys that are names of objects',
    map(
      { key: '__proto__', value: map({ key: 'polluted', value: bool(true) }) },
      { key: 'constructor', value: int(1n) },
    ),
  ],
  ['a map with a key without a value', map({ key: 'a' })],
  ['values 62 levels deep', deep(62)],
]

function deep(levels: number): Any {
  return levels === 1 ? int(1n) : list(deep(levels - 1))
}

function holding(value: Any): RequestInit {
  const record = {
    attributes: [
      { key: 'a', value },
      { key: 'b', value: list(value) },
    ],
    body: value,
  }
  return {
    resourceLogs: [
      { resource: { attributes: [{ key: 'r', value }] }, scopeLogs: [{ logRecords: [record] }] },
    ],
  }
}

export const values: Group = {
  title: 'Values',
  cases: VALUES.map(
    ([name, value, over = ALL]): Exchange => ({
      name: `${name} arrives as it was sent`,
      section: 'anyValue',
      over,
      send: { request: holding(value) },
      answer: { ok: true },
    }),
  ),
}
