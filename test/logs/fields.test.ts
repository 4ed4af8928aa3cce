import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { ECS } from '../../src/logs/ndjson/fields/ecs.ts'
import { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import { NONE, RAW } from '../../src/logs/ndjson/fields/plain.ts'
import { MalformedError } from '../../src/logs/wire.ts'
import { type RecordInContext, recordsOf } from '../oracle/oracle.ts'
import { runs, sample } from '../support/arbitraries.ts'
import { RECEIVED_MS } from './documents.ts'
import { decoded, encoded } from './edits.ts'
import { expectedEcs, expectedPlain, renderFields } from './field-documents.ts'

const MODES = [
  ['ecs', ECS, expectedEcs],
  ['none', NONE, expectedPlain],
  ['raw', RAW, expectedPlain],
] as const

describe.each(MODES)('the document of a record in mode %s', (_, scheme, expected) => {
  it('holds what the record, its scope and its resource hold', () => {
    const experienced = new FieldMapping(scheme)
    let compared = 0
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const batch = LogBatch.decode(bytes, RECEIVED_MS)
        const rendered = renderFields(batch, experienced)

        expect(rendered.failures).toEqual([])
        expect(renderFields(batch, new FieldMapping(scheme))).toEqual(rendered)
        recordsOf(request).forEach((record: RecordInContext, index) => {
          // Which names those get that are values and objects is told in words below.
          if (rendered.clashes[index].has('object') || rendered.clashes[index].has('reserved')) return
          compared++
          expect(rendered.documents[index]).toEqual(expected(record, scheme))
        })
      }),
      runs(200),
    )
    expect(compared).toBeGreaterThan(250)
  })

  it('is the same for a record out of a buffer, and shows what was edited', () => {
    const mapping = new FieldMapping(scheme)
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const direct = decoded(bytes)
        const stored = LogBatch.open(encoded(decoded(bytes)))
        for (const batch of [direct, stored])
          batch.forEach((record) => record.setTraceContext({ spanId: Buffer.alloc(8, 7) }))

        const { documents, failures } = renderFields(stored, mapping)

        expect(documents).toEqual(renderFields(direct, mapping).documents)
        expect(failures).toEqual([])
        const spanId = scheme === ECS ? ['span', 'id'] : ['SpanId']
        for (const document of documents) expect(document).toHaveProperty(spanId, '07'.repeat(8))
      }),
      runs(30),
    )
  })

  it('costs only damaged records when an element was damaged in its buffer', () => {
    const mapping = new FieldMapping(scheme)
    fc.assert(
      fc.property(sample, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ bytes }, at, bits) => {
        const element = Buffer.from(encoded(decoded(bytes)))
        if (element.length > 0) element[at % element.length] ^= bits
        let batch: LogBatch
        try {
          batch = LogBatch.open(element)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError)
          return
        }

        const { documents, failures } = renderFields(batch, mapping)

        expect(documents.length + failures.length).toBe(batch.size)
      }),
      runs(100),
    )
  })
})
