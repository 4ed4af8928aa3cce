import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/logs/any-value.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { MalformedError } from '../../src/logs/wire.ts'
import { makeRequest } from '../support/requests.ts'

const inRecord = (members: string): string =>
  `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`
const withAttribute = (value: string): string => inRecord(`"attributes":[{"key":"a","value":${value}}]`)
const RECORD = 'resourceLogs[0].scopeLogs[0].logRecords[0]'

/** The attribute `a` of the only record of a request. */
function attributeOf(text: string): Value | undefined {
  let value: Value | undefined
  LogBatch.decode(encodeJsonRequest(text)).forEach((record) => {
    value = record.attribute('a')
  })
  return value
}

const hexOf = (text: string): string => encodeJsonRequest(text).toString('hex')

describe('a JSON request becomes the bytes of the same protobuf request', () => {
  it('byte for byte, where the members come in the order of the schema', () => {
    const request = {
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeLogs: [
            {
              logRecords: [0, 1, 2].map((i) => ({
                timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(i)),
                severityNumber: 9,
                body: { stringValue: `record ${i}` },
              })),
            },
          ],
        },
      ],
    }
    const bytes = encodeJsonRequest(JSON.stringify(request, null, 2))
    expect(bytes.toString('hex')).toBe(makeRequest({ records: 3 }).toString('hex'))
  })

  it('with every field of a record, a scope and a resource', () => {
    const record =
      '"timeUnixNano":"1","observedTimeUnixNano":"2","severityNumber":17,"severityText":"E","body":{"intValue":"3"},' +
      '"attributes":[{"key":"k","value":{"boolValue":true}}],"droppedAttributesCount":4,"flags":257,' +
      '"traceId":"5B8EFFF798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","eventName":"n"'
    const text = `{"resourceLogs":[{"resource":{"attributes":[],"droppedAttributesCount":1},"schemaUrl":"r",
      "scopeLogs":[{"scope":{"name":"s","version":"v","attributes":[],"droppedAttributesCount":2},"schemaUrl":"u",
      "logRecords":[{${record}}]}]}]}`
    const expectedRecord =
      '090100000000000000' +
      '590200000000000000' +
      '1011' +
      '1a0145' +
      '2a021803' +
      '3207' +
      '0a016b' +
      '12021001' +
      '3804' +
      '4501010000' +
      '4a105b8efff798038103d269b633813fc60c' +
      '5208eee19b7ec3c1b174' +
      '62016e'
    expect(hexOf(text)).toContain(expectedRecord)
    expect(hexOf(text)).toContain('0a02' + '1001' + '1a0172')
    expect(hexOf(text)).toContain('0a08' + '0a0173' + '120176' + '2002' + '1a0175')
  })

  it('whatever the order of the members, and ignores those nobody knows', () => {
    const known = '"severityText":"x"'
    const unknown = '"later":{"a":[1,-2.5e+3,true,false,null,"\\u00e9\\"",{"b":{}},[]]}'
    expect(hexOf(inRecord(`${unknown},${known},${unknown}`))).toBe(hexOf(inRecord(known)))
  })

  it('with the members that are null left out', () => {
    expect(hexOf(inRecord('"traceId":null,"body":null,"severityText":"x","attributes":null'))).toBe(
      hexOf(inRecord('"severityText":"x"')),
    )
    expect(hexOf('{"resourceLogs":null}')).toBe('')
  })

  it('from names in snake_case', () => {
    const text = `{"resource_logs":[{"scope_logs":[{"log_records":[{"time_unix_nano":1,"severity_number":9,
      "trace_id":"","body":{"kvlist_value":{"values":[{"key":"k","value":{"double_value":1}}]}}}]}]}]}`
    const camel = text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    expect(hexOf(text)).toBe(hexOf(camel))
    expect(LogBatch.decode(encodeJsonRequest(text)).size).toBe(1)
  })

  it('from names of severities', () => {
    expect(hexOf(inRecord('"severityNumber":"SEVERITY_NUMBER_INFO"'))).toBe(
      hexOf(inRecord('"severityNumber":9')),
    )
    expect(hexOf(inRecord('"severityNumber":"SEVERITY_NUMBER_FATAL4"'))).toBe(
      hexOf(inRecord('"severityNumber":24')),
    )
    expect(hexOf(inRecord('"severityNumber":"SEVERITY_NUMBER_TRACE2"'))).toBe(
      hexOf(inRecord('"severityNumber":2')),
    )
  })

  it('with keys that have a meaning in JavaScript as plain data', () => {
    const value = '{"kvlistValue":{"values":[{"key":"__proto__","value":{"stringValue":"x"}}]}}'
    expect(attributeOf(withAttribute(value))).toEqual(new Map([['__proto__', 'x']]))
    expect(hexOf('{"__proto__":{"resourceLogs":[{}]},"constructor":{"prototype":{"a":1}}}')).toBe('')
    expect(({} as { resourceLogs?: unknown }).resourceLogs).toBeUndefined()
  })
})

describe('a number keeps its value', () => {
  it.each([
    ['"9223372036854775807"', 9223372036854775807n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9007199254740993', 9007199254740993n],
    ['"-1"', -1],
    ['-0', 0],
    ['999999999999999', 999999999999999],
    ['1e3', 1000],
    ['2.0', 2],
    ['1.5e1', 15],
  ])('as intValue %s', (json, value) => {
    expect(attributeOf(withAttribute(`{"intValue":${json}}`))).toBe(value)
  })

  it.each([
    ['"NaN"', Number.NaN],
    ['"Infinity"', Number.POSITIVE_INFINITY],
    ['"-Infinity"', Number.NEGATIVE_INFINITY],
    ['"1.25"', 1.25],
    ['-0.0', -0],
    ['1e-7', 1e-7],
    ['36893488147419103232', 2 ** 65],
  ])('as doubleValue %s', (json, value) => {
    expect(attributeOf(withAttribute(`{"doubleValue":${json}}`))).toBe(value)
  })

  it('as a time beyond 2^53 that is not in quotes', () => {
    expect(hexOf(inRecord('"timeUnixNano":1700000000123456789'))).toBe(
      hexOf(inRecord('"timeUnixNano":"1700000000123456789"')),
    )
    expect(hexOf(inRecord('"timeUnixNano":18446744073709551615'))).toContain('09ffffffffffffffff')
  })

  it('for any 64-bit integer, in quotes or not', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.boolean(), (number, quoted) => {
        const value = attributeOf(withAttribute(`{"intValue":${quoted ? `"${number}"` : number}}`))
        expect(BigInt(value as number | bigint)).toBe(number)
      }),
    )
  })

  it('for any double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const value = attributeOf(
          withAttribute(`{"doubleValue":${Object.is(number, -0) ? '-0' : String(number)}}`),
        )
        expect(value).toBe(number)
      }),
    )
  })
})

describe('a value of any kind', () => {
  it('reads bytes in both base64 alphabets, padded or not', () => {
    for (const base64 of ['+/+/AA==', '-_-_AA', '+/+/AA']) {
      expect(attributeOf(withAttribute(`{"bytesValue":"${base64}"}`))).toEqual(
        Buffer.from('+/+/AA', 'base64'),
      )
    }
  })

  it('takes the last of several kinds, as protobuf does', () => {
    expect(attributeOf(withAttribute('{"stringValue":"x","intValue":1}'))).toBe(1)
  })

  it('reads null in a list as an empty value', () => {
    expect(attributeOf(withAttribute('{"arrayValue":{"values":[null,{"intValue":1}]}}'))).toEqual([null, 1])
  })

  it('reads escapes, and characters outside the basic plane', () => {
    expect(
      attributeOf(withAttribute('{"stringValue":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u4e2d\\ud83d\\ude00é😀"}')),
    ).toBe('"\\/\b\f\n\r\t中😀é😀')
  })

  it('survives the way through JSON, whatever it is', () => {
    const { value: anyValue } = fc.letrec<{ value: Value; list: Value; map: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.string({ unit: 'binary' }),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
      map: fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    }))
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(attributeOf(withAttribute(JSON.stringify(otlpJson(value))))).toEqual(value)
      }),
    )
  })
})

describe('a request that cannot be read is refused with the place and the reason', () => {
  it.each([
    ['"traceId":"abc"', `${RECORD}.traceId: expected 32 hex digits`],
    ['"traceId":"5b8efff798038103d269b633813fc60g"', `${RECORD}.traceId: expected 32 hex digits`],
    ['"spanId":"5b8efff798038103d269b633813fc60c"', `${RECORD}.spanId: expected 16 hex digits`],
    ['"timeUnixNano":"-1"', `${RECORD}.timeUnixNano: expected an unsigned 64-bit integer`],
    ['"timeUnixNano":"18446744073709551616"', `${RECORD}.timeUnixNano: expected an unsigned 64-bit integer`],
    ['"timeUnixNano":""', `${RECORD}.timeUnixNano: expected an unsigned 64-bit integer`],
    ['"timeUnixNano":1.5', `${RECORD}.timeUnixNano: expected an unsigned 64-bit integer`],
    ['"timeUnixNano":{}', `${RECORD}.timeUnixNano: expected an unsigned 64-bit integer`],
    ['"flags":4294967296', `${RECORD}.flags: expected an unsigned 32-bit integer`],
    ['"severityNumber":"LOUD"', `${RECORD}.severityNumber: expected a severity number or its name`],
    ['"severityText":7', `${RECORD}.severityText: expected a string`],
    ['"body":"text"', `${RECORD}.body: expected an object`],
    ['"body":{"boolValue":1}', `${RECORD}.body.boolValue: expected true or false`],
    ['"body":{"intValue":9223372036854775808}', `${RECORD}.body.intValue: expected a 64-bit integer`],
    ['"body":{"intValue":"0x10"}', `${RECORD}.body.intValue: expected a 64-bit integer`],
    [
      '"body":{"doubleValue":"much"}',
      `${RECORD}.body.doubleValue: expected a number, "NaN", "Infinity" or "-Infinity"`,
    ],
    ['"body":{"bytesValue":"?"}', `${RECORD}.body.bytesValue: expected base64`],
    ['"body":{"bytesValue":"AAAAA"}', `${RECORD}.body.bytesValue: expected base64`],
    ['"attributes":{}', `${RECORD}.attributes: expected an array`],
    ['"attributes":[{"key":"a"},{"key":1}]', `${RECORD}.attributes[1].key: expected a string`],
    ['"attributes":[null]', `${RECORD}.attributes[0]: expected an object`],
  ])('%s', (members, message) => {
    const attempt = (): Buffer => encodeJsonRequest(inRecord(members))
    expect(attempt).toThrow(MalformedError)
    expect(attempt).toThrow(new MalformedError(message))
  })

  it.each(['', ' ', '{', '{"resourceLogs":[', '{"a":"', '{"a":-'])('text that ends too early: %j', (text) => {
    expect(() => encodeJsonRequest(text)).toThrow(/not valid JSON: the text ends too early$/)
  })

  it('text that is not JSON, without repeating any of it', () => {
    expect(() => encodeJsonRequest('{"secret" "hunter2"}')).toThrow('not valid JSON: expected : at byte 10')
    expect(() => encodeJsonRequest('{} {}')).toThrow('not valid JSON: text after the end at byte 3')
    expect(() => encodeJsonRequest('[]')).toThrow('expected an object')
  })

  it('text that is not UTF-8', () => {
    expect(() => encodeJsonRequest(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow('the text is not UTF-8')
  })

  it('values nested 10,000 deep, in known members and in others', () => {
    const lists = '{"arrayValue":{"values":['.repeat(10_000) + ']}}'.repeat(10_000)
    expect(() => encodeJsonRequest(withAttribute(lists))).toThrow(
      /: values are nested deeper than 64 levels$/,
    )
    const maps = '{"kvlistValue":{"values":[{"key":"k","value":'.repeat(10_000) + '}]}}'.repeat(10_000)
    expect(() => encodeJsonRequest(withAttribute(maps))).toThrow(/: values are nested deeper than 64 levels$/)
    const unknown = `{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
    expect(() => encodeJsonRequest(unknown)).toThrow('nested deeper than 1000 levels')
    expect(() => encodeJsonRequest(`{"x":${'['.repeat(5_000_000)}`)).toThrow('nested deeper than 1000 levels')
  })

  it('values nested 64 deep are taken, the same in JSON as in protobuf', () => {
    const nested = (levels: number): string =>
      withAttribute(
        '{"arrayValue":{"values":['.repeat(levels - 1) + '{"intValue":1}' + ']}}'.repeat(levels - 1),
      )
    expect(LogBatch.decode(encodeJsonRequest(nested(64))).size).toBe(1)
    expect(() => encodeJsonRequest(nested(65))).toThrow('nested deeper')
  })
})

describe('the grammar is that of JSON.parse', () => {
  const accepted = (text: string): boolean => {
    try {
      encodeJsonRequest(`{"unknown":${text}}`)
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedError)
      return false
    }
  }
  const valid = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  it('for every JSON text', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(accepted(text)).toBe(true)
      }),
    )
  })

  it('for JSON texts with something put in, taken out or replaced', () => {
    const pieces = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      'n',
      'u',
      ' ',
      '\n',
      '\u0001',
      'é',
    )
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(2), pieces, (text, seed, cut, piece) => {
        const at = seed % (text.length + 1)
        const mutated = text.slice(0, at) + piece + text.slice(at + cut)
        // A brace too many may close the object around the text; JSON.parse alone would not see it.
        fc.pre(valid(mutated) === valid(`{"unknown":${mutated}}`))
        expect(accepted(mutated)).toBe(valid(mutated))
      }),
      { numRuns: 2000 },
    )
  })

  it('for any text at all', () => {
    const alphabet = fc.constantFrom(...Array.from('{}[]",:0123-.eE+ntrufalse\\/ \t'))
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        fc.pre(valid(text) === valid(`{"unknown":${text}}`))
        expect(accepted(text)).toBe(valid(text))
      }),
      { numRuns: 3000 },
    )
  })
})

/** An OTLP/JSON AnyValue. */
function otlpJson(value: Value): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: value } : { doubleValue: value }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') }
  if (value instanceof Map) {
    return { kvlistValue: { values: [...value].map(([key, item]) => ({ key, value: otlpJson(item) })) } }
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map((item: Value) => otlpJson(item)) } }
  return {}
}
