import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { makeFrame, stamp } from '../../bench/load/frames.ts'
import { makePayload } from '../../bench/payload.ts'
import { redaction } from '../../processors/redaction/index.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { never, testContext } from '../support/component.ts'
import { documentsOf } from '../support/otlp.ts'

async function redactions(payload: Buffer): Promise<number> {
  const context = testContext()
  await redaction.create(redaction.config.parse({}), context).process(LogBatch.decode(payload), never)
  return context.value('sluice_redactions_total')
}

describe('payloads of the bench', () => {
  it.each([200, 1300, 16_384])('holds records of about %i bytes', (recordBytes) => {
    const records = 500
    const bytes = makePayload({ records, seed: 1, recordBytes }).length / records

    expect(bytes).toBeGreaterThan(recordBytes * 0.95)
    expect(bytes).toBeLessThan(recordBytes * 1.05)
  })

  it.each([
    { sensitive: 0, recordBytes: 1300 },
    { sensitive: 0.05, recordBytes: 1300 },
    { sensitive: 0.5, recordBytes: 1300 },
    { sensitive: 0.5, recordBytes: 200 },
    { sensitive: 0.5, recordBytes: 16_384 },
  ])('holds something to redact in a share $sensitive of records of $recordBytes bytes', async (of) => {
    const records = of.recordBytes > 10_000 ? 400 : 2000
    const found = await redactions(makePayload({ records, seed: 3, ...of }))

    expect(Math.abs(found / records - of.sensitive)).toBeLessThanOrEqual(of.sensitive * 0.2)
  })

  it('differs by seed and by nothing else but the time', () => {
    const withoutTimes = (seed: number) =>
      documentsOf(LogBatch.decode(makePayload({ records: 3, seed }))).map(({ body }) => body)

    expect(withoutTimes(1)).toEqual(withoutTimes(1))
    expect(withoutTimes(1)).not.toEqual(withoutTimes(2))
  })
})

describe('frames of the load generator', () => {
  const payload = { records: 3, seed: 1 }

  it.each(['grpc', 'http'] as const)('stamps every record of a request over %s', (protocol) => {
    const frame = makeFrame({ ...payload, recordBytes: 200 }, protocol, false)

    stamp(frame, 1_700_000_000_000.5)

    const body = protocol === 'grpc' ? frame.bytes.subarray(5) : frame.bytes
    const times = documentsOf(LogBatch.decode(body)).map((document) => document['@timestamp'])
    expect(times).toEqual(Array(3).fill('1700000000000.500000'))
  })

  it('puts the length before a gRPC message, and says whether it is compressed', () => {
    const plain = makeFrame(payload, 'grpc', false).bytes
    const packed = makeFrame(payload, 'grpc', true).bytes

    expect([plain[0], packed[0]]).toEqual([0, 1])
    expect(plain.readUInt32BE(1)).toBe(plain.length - 5)
    expect(packed.readUInt32BE(1)).toBe(packed.length - 5)
    expect(LogBatch.decode(gunzipSync(packed.subarray(5))).size).toBe(3)
  })
})
