import type { RequestInit } from '../../../../oracle/oracle.ts'
import { type Exchange, type Group, IN_JSON } from '../case.ts'

type ResourceLogs = NonNullable<RequestInit['resourceLogs']>[number]
type ScopeLogs = NonNullable<ResourceLogs['scopeLogs']>[number]
type Record = NonNullable<ScopeLogs['logRecords']>[number]
type Body = NonNullable<Record['body']>

const wrap = (record: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`
const wrapped = (record: Record): RequestInit => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }],
})
const body = (value: Body['value']): Record => ({ body: { value } as Body })
const TRACE = Uint8Array.from({ length: 16 }, (_, at) => 0xa0 + at)

/** Members of a record as a client may write them, and what they are read as. */
const READ: readonly (readonly [string, string, Record])[] = [
  ['traceId in lower case', '"traceId":"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"', { traceId: TRACE }],
  ['traceId in upper case', '"traceId":"A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"', { traceId: TRACE }],
  ['traceId in mixed case', '"traceId":"a0A1a2A3a4A5a6A7a8A9aAAbaCAdaEAf"', { traceId: TRACE }],
  ['spanId', '"spanId":"a0a1a2a3A4A5A6A7"', { spanId: TRACE.subarray(0, 8) }],
  ['empty ids, which are none', '"traceId":"","spanId":""', {}],
  [
    'a time as a string',
    '"timeUnixNano":"1700000000123456789"',
    { timeUnixNano: 1_700_000_000_123_456_789n },
  ],
  ['a time as a number', '"timeUnixNano":1700000000123456789', { timeUnixNano: 1_700_000_000_123_456_789n }],
  ['a time with an exponent', '"timeUnixNano":1.7e18', { timeUnixNano: 1_700_000_000_000_000_000n }],
  ['the largest time', '"timeUnixNano":"18446744073709551615"', { timeUnixNano: 2n ** 64n - 1n }],
  ['severityNumber as a number', '"severityNumber":17', { severityNumber: 17 }],
  ['severityNumber as a string', '"severityNumber":"SEVERITY_NUMBER_ERROR"', { severityNumber: 17 }],
  [
    'names in snake_case',
    '"severity_text":"x","event_name":"y","time_unix_nano":"1"',
    { severityText: 'x', eventName: 'y', timeUnixNano: 1n },
  ],
  ['flags as a string', '"flags":"1"', { flags: 1 }],
  ['dropped_attributes_count', '"droppedAttributesCount":7', { droppedAttributesCount: 7 }],
  ['null as absent', '"body":null,"attributes":null,"severityText":null', {}],
  ['unknown members of any kind', '"new":{"a":[1,{"b":null}]},"other":"x","flags":1', { flags: 1 }],
  ['escapes in text', '"severityText":"\\u0041\\n\\ud83d\\ude42\\/"', { severityText: 'A\n🙂/' }],
  ['escapes in names', '"severity\\u0054ext":"x"', { severityText: 'x' }],
  ['white space anywhere', ' \n"flags"\t:\r1 ', { flags: 1 }],
  ['an integer as a string', '"body":{"intValue":"-42"}', body({ case: 'intValue', value: -42n })],
  ['an integer as a number', '"body":{"intValue":-42}', body({ case: 'intValue', value: -42n })],
  [
    'an integer beyond 2^53 as a string',
    '"body":{"intValue":"9007199254740993"}',
    body({ case: 'intValue', value: 2n ** 53n + 1n }),
  ],
  [
    'an integer beyond 2^53 as a number',
    '"body":{"intValue":9007199254740993}',
    body({ case: 'intValue', value: 2n ** 53n + 1n }),
  ],
  ['an integer written 1.0', '"body":{"intValue":1.0}', body({ case: 'intValue', value: 1n })],
  ['a double as a string', '"body":{"doubleValue":"1.5e3"}', body({ case: 'doubleValue', value: 1500 })],
  ['a double without a fraction', '"body":{"doubleValue":1}', body({ case: 'doubleValue', value: 1 })],
  ['minus zero', '"body":{"doubleValue":-0.0}', body({ case: 'doubleValue', value: -0 })],
  ['"NaN"', '"body":{"doubleValue":"NaN"}', body({ case: 'doubleValue', value: Number.NaN })],
  ['base64', '"body":{"bytesValue":"+/8="}', body({ case: 'bytesValue', value: Uint8Array.of(0xfb, 0xff) })],
  [
    'base64 of the URL-safe alphabet',
    '"body":{"bytesValue":"-_8="}',
    body({ case: 'bytesValue', value: Uint8Array.of(0xfb, 0xff) }),
  ],
  [
    'base64 without padding',
    '"body":{"bytesValue":"-_8"}',
    body({ case: 'bytesValue', value: Uint8Array.of(0xfb, 0xff) }),
  ],
  ['values in snake_case', '"body":{"string_value":"x"}', body({ case: 'stringValue', value: 'x' })],
  ['a value of no kind', '"body":{}', { body: {} as Body }],
]

/** Requests that are none, and the path to what is wrong. */
const REFUSED: readonly (readonly [string, string, string | RegExp])[] = [
  ['an empty body', '', /not valid JSON/],
  ['text that is no JSON', 'hello', /expected an object/],
  ['a text that ends too early', '{"resourceLogs":[{', /not valid JSON/],
  ['something after the end', '{} {}', /not valid JSON/],
  ['a list', '[]', /expected an object/],
  [
    'a member of another kind',
    '{"resourceLogs":[{"scopeLogs":{}}]}',
    'resourceLogs[0].scopeLogs: expected an array',
  ],
  ['text that is a number', wrap('{"severityText":1}'), /severityText: expected/],
  ['a traceId of another length', wrap('{"traceId":"a0"}'), /traceId: expected 32 hex digits/],
  [
    'a traceId that is base64',
    wrap('{"traceId":"oKGio6SlpqeoqaqrrK2urw=="}'),
    /traceId: expected 32 hex digits/,
  ],
  [
    'a spanId that is not hexadecimal',
    wrap('{"spanId":"zzzzzzzzzzzzzzzz"}'),
    /spanId: expected 16 hex digits/,
  ],
  [
    'an integer beyond 64 bits',
    wrap('{"body":{"intValue":"9223372036854775808"}}'),
    /intValue: expected a 64-bit integer/,
  ],
  ['an integer with a fraction', wrap('{"body":{"intValue":1.5}}'), /intValue: expected a 64-bit integer/],
  ['a negative time', wrap('{"timeUnixNano":-1}'), /timeUnixNano: expected an unsigned/],
  ['a severity of no such name', wrap('{"severityNumber":"LOUD"}'), /severityNumber: expected a severity/],
  ['bytes that are not base64', wrap('{"body":{"bytesValue":"*"}}'), /bytesValue: expected base64/],
  ['a double that is no number', wrap('{"body":{"doubleValue":"x"}}'), /doubleValue: expected a number/],
  ['a boolean that is text', wrap('{"body":{"boolValue":"true"}}'), /boolValue: expected/],
  ['a lone quote in text', '{"resourceLogs":"}', /not valid JSON|expected/],
]

const json = { section: 'json', over: IN_JSON } as const

export const jsonCases: readonly Group[] = [
  {
    title: 'JSON that is read',
    cases: READ.map(
      ([name, members, record]): Exchange => ({
        ...json,
        name: `${name}`,
        send: { body: wrap(`{${members}}`) },
        answer: { ok: true },
        pushed: [wrapped(record)],
      }),
    ),
  },
  {
    title: 'JSON that is refused with 400 and what is wrong where',
    cases: [
      ...REFUSED.map(
        ([name, text, message]): Exchange => ({
          ...json,
          section: 'badData',
          name,
          send: { body: text },
          answer: { failure: { code: 3, http: 400, message, badRequest: true } },
        }),
      ),
      {
        ...json,
        section: 'badData',
        name: 'text that is not UTF-8',
        send: { body: Buffer.from('{"a":"\xff"}', 'latin1') },
        answer: { failure: { code: 3, http: 400, message: /not UTF-8/, badRequest: true } },
      },
    ],
  },
]
