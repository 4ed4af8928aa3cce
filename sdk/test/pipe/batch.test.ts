import { fromBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExportLogsServiceRequestSchema } from '../../../test/oracle/generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js'
import { runs } from '../../../test/support/arbitraries.ts'
import { BatchMaker } from '../../src/pipe/batch.ts'
import { RecordQueue } from '../../src/pipe/queue.ts'
import type { Scope } from '../../src/pipe/sink.ts'
import { encodeRecord, RESOURCE } from './kit/records.ts'

const scopes = fc.array(fc.record({ name: fc.string(), version: fc.string() }, { requiredKeys: ['name'] }), {
  minLength: 1,
  maxLength: 4,
})
const record = fc.record({
  scope: fc.nat(),
  severity: fc.nat({ max: 24 }),
  body: fc.oneof(
    fc.string(),
    fc.nat({ max: 20_000 }).map((size) => 'x'.repeat(size)),
  ),
})

describe('a batch', () => {
  it('is a request of the same records, by scope, in order', () => {
    fc.assert(
      fc.property(scopes, fc.array(record, { minLength: 1, maxLength: 60 }), (scopes: Scope[], records) => {
        const queue = new RecordQueue({ maxBytes: 2 ** 30, maxRecords: 1e9 }, () => expect.unreachable())
        const expected = new Map<Scope, { seq: number; body: string }[]>()
        for (const [seq, { scope: index, severity, body }] of records.entries()) {
          const scope = scopes[index % scopes.length]
          const bytes = encodeRecord(seq, { severity, body })
          queue.offer(scope, severity, bytes, 0, bytes.length)
          expected.set(scope, [...(expected.get(scope) ?? []), { seq, body }])
        }

        const batch = new BatchMaker(RESOURCE).take(queue, 1e9, 1e9)

        const { resourceLogs } = fromBinary(ExportLogsServiceRequestSchema, new Uint8Array(batch.bytes))
        expect(resourceLogs).toHaveLength(1)
        expect(resourceLogs[0].resource?.attributes.map(({ key }) => key)).toEqual(['service.name'])
        const found = resourceLogs[0].scopeLogs.map(({ scope, logRecords }) => ({
          scope: { name: scope?.name, version: scope?.version },
          records: logRecords.map(({ attributes, body }) => ({
            seq: Number(attributes[0].value?.value.value),
            body: body?.value.value,
          })),
        }))
        expect(found).toEqual(
          [...expected].map(([{ name, version = '' }, records]) => ({ scope: { name, version }, records })),
        )
        expect(batch).toMatchObject({ records: records.length, first: 1 })
        expect(queue.records).toBe(0)
      }),
      runs(),
    )
  })

  it('tells how many records of each severity it holds, and the bytes they take', () => {
    const queue = new RecordQueue({ maxBytes: 2 ** 30, maxRecords: 1e9 }, () => expect.unreachable())
    const sizes = [9, 17, 9].map((severity, seq) => {
      const bytes = encodeRecord(seq, { severity })
      queue.offer({ name: 'a' }, severity, bytes, 0, bytes.length)
      return bytes.length
    })

    const { tally } = new BatchMaker(RESOURCE).take(queue, 10, 1e6)

    expect(tally).toEqual(
      new Map([
        [9, { records: 2, bytes: sizes[0] + sizes[2] }],
        [17, { records: 1, bytes: sizes[1] }],
      ]),
    )
  })

  it('is the same bytes for the same records', () => {
    const make = (): Buffer => {
      const queue = new RecordQueue({ maxBytes: 2 ** 30, maxRecords: 1e9 }, () => expect.unreachable())
      const bytes = encodeRecord(1)
      queue.offer({ name: 'a', version: '1' }, 9, bytes, 0, bytes.length)
      return new BatchMaker(RESOURCE).take(queue, 10, 1e6).bytes
    }

    expect(make()).toEqual(make())
  })
})
