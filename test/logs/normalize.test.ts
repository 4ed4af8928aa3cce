import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { normalize } from '../../src/logs/normalize.ts'
import { Record, Request, ResourceLogs, ScopeLogs } from '../../src/logs/wire.ts'
import { WireWriter } from '../../src/logs/wire-writer.ts'
import { decodeRequest, encodeRequest } from '../oracle/oracle.ts'
import { request, runs, sample } from '../support/arbitraries.ts'

describe('the simple form of a request', () => {
  it('means the same, and is its own simple form', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const simple = normalize(bytes)

        expect(decodeRequest(simple)).toEqual(request)
        expect(normalize(simple).equals(simple)).toBe(true)
      }),
      runs(200),
    )
  })

  it('is what a batch holds where a message came in pieces', () => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const held = LogBatch.decode(bytes).data.bytes

        expect(held.equals(bytes) || held.equals(normalize(bytes))).toBe(true)
      }),
      runs(),
    )
  })

  it('is not made of a request in so many pieces that others would wait', () => {
    const writer = new WireWriter(2 ** 20)
    const open = [Request.resourceLogs, ResourceLogs.scopeLogs, ScopeLogs.logRecords].map((tag) =>
      writer.open(tag),
    )
    writer.copy(Buffer.alloc(1_200_000, Buffer.from([Record.body, 0])))
    for (const start of open.reverse()) writer.close(start)

    expect(() => LogBatch.decode(writer.take())).toThrow(/^too many fields in a request that repeats/)
  })

  it('is every request as usual libraries write it, byte for byte', () => {
    fc.assert(
      fc.property(request, (request) => {
        const bytes = encodeRequest(request)

        expect(normalize(bytes).equals(bytes)).toBe(true)
        expect(LogBatch.decode(bytes).data.bytes).toBe(bytes)
      }),
      runs(),
    )
  })
})
