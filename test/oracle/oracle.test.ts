import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnyValue, KeyValue, Record, Request, ResourceLogs, ScopeLogs } from '../../src/logs/wire.ts'
import { request, runs, sample } from '../support/arbitraries.ts'
import { oddBytes } from './odd-wire.ts'
import { decodeRequest, encodeRequest, recordsOf, valueOf } from './oracle.ts'

const len = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag, body.length]), body])
}
const text = (tag: number, value: string): Buffer => len(tag, Buffer.from(value))

/** What the oracle reads as the body of a record whose body fields hold these contents. */
const bodyOf = (...bodies: readonly Buffer[]): unknown => {
  const record = Buffer.concat(bodies.map((body) => len(Record.body, body)))
  const bytes = len(Request.resourceLogs, len(ResourceLogs.scopeLogs, len(ScopeLogs.logRecords, record)))
  return valueOf(recordsOf(decodeRequest(bytes))[0].record.body)
}

describe('the oracle', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(request, (request) => {
        expect(decodeRequest(encodeRequest(request))).toEqual(request)
      }),
      runs(),
    )
  })

  it('reads odd but legal bytes as the request they stand for', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        expect(decodeRequest(bytes)).toEqual(request)
      }),
      runs(200),
    )
  })

  it('takes the last member of a oneof', () => {
    expect(bodyOf(Buffer.concat([text(AnyValue.string, 'a'), Buffer.from([AnyValue.int, 7])]))).toBe(7)
    expect(bodyOf(text(AnyValue.string, 'a'), Buffer.from([AnyValue.int, 7]))).toBe(7)
  })

  it('merges lists in a oneof, unless another member stood between them', () => {
    const list = (item: string): Buffer => len(AnyValue.array, len(0x0a, text(AnyValue.string, item)))

    expect(bodyOf(Buffer.concat([list('a'), list('b')]))).toEqual(['a', 'b'])
    expect(bodyOf(list('a'), list('b'))).toEqual(['a', 'b'])
    expect(bodyOf(Buffer.concat([list('a'), text(AnyValue.string, 'x'), list('b')]))).toEqual(['b'])
  })

  it('merges the values of a key', () => {
    const value = (item: string): Buffer =>
      len(KeyValue.value, len(AnyValue.array, len(0x0a, text(AnyValue.string, item))))
    const member = len(0x0a, text(KeyValue.key, 'k'), value('a'), value('b'))

    expect(bodyOf(len(AnyValue.kvlist, member))).toEqual(new Map([['k', ['a', 'b']]]))
  })

  it('is not fooled by an odd writer that writes nothing odd', () => {
    fc.assert(
      fc.property(request, fc.nat(), (request, seed) => {
        const plain = encodeRequest(request)
        expect(decodeRequest(oddBytes(request, { seed, rate: 0 }))).toEqual(decodeRequest(plain))
      }),
      runs(20),
    )
  })
})
