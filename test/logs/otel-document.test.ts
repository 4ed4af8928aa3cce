import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { MalformedError } from '../../src/logs/wire.ts'
import { type AnyValue, encodeRequest, type RequestInit, recordsOf } from '../oracle/oracle.ts'
import { runs, sample } from '../support/arbitraries.ts'
import { expectedDocument, RECEIVED_MS, render, STYLES } from './documents.ts'
import { decoded, encoded, replaceA, rewritten, scanForA } from './edits.ts'

describe('the document of a record', () => {
  it('holds what the record, its scope and its resource hold', () => {
    fc.assert(
      fc.property(sample, fc.constantFrom(...STYLES), ({ request, bytes }, style) => {
        const { documents, failures } = render(LogBatch.decode(bytes, RECEIVED_MS), style)

        expect(documents).toEqual(recordsOf(request).map((record) => expectedDocument(record, style)))
        expect(failures).toEqual([])
      }),
      runs(200),
    )
  })

  it('is the same for a record out of a buffer, and shows what was edited', () => {
    fc.assert(
      fc.property(sample, fc.boolean(), ({ request, bytes }, stored) => {
        const batch = stored ? LogBatch.open(encoded(decoded(bytes))) : decoded(bytes)
        batch.rewriteTexts(scanForA, replaceA, 'failed')
        batch.forEach((record) => record.setTraceContext({ spanId: Buffer.alloc(0), flags: 0x101 }))

        const { documents } = render(batch)

        const edited = recordsOf(rewritten(request, replaceA))
        for (const { record } of edited) {
          record.spanId = new Uint8Array()
          record.flags = 0x101
        }
        expect(documents).toEqual(edited.map((record) => expectedDocument(record, 'epoch_millis')))
      }),
      runs(),
    )
  })

  it('knows where it comes from and when it happened', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const batch = decoded(bytes)
        const [part] = batch.data.parts

        const { sources } = render(batch)

        const milliseconds = recordsOf(request).map(({ record }) => {
          const time = record.timeUnixNano || record.observedTimeUnixNano
          return time === 0n ? RECEIVED_MS : Number(time / 1_000_000n)
        })
        expect(sources.map(({ timeMs }) => timeMs)).toEqual(milliseconds)
        expect(sources.map(({ position }) => position)).toEqual([...milliseconds.keys()])
        expect(sources.every((source) => source.part === part)).toBe(true)
      }),
      runs(20),
    )
  })
})

const KEYS = 150
const value = (text: string): { value: AnyValue['value'] } => ({
  value: { case: 'stringValue', value: text },
})

describe('an object with many keys', () => {
  it.each([1, 7, 63, 64, 65, KEYS])('keeps the first of those that are there twice, of %d', (different) => {
    const keys = Array.from({ length: KEYS }, (_, index) => ({
      key: `key-${index % different}`,
      value: value(`${index}`),
    }))
    const nested = {
      key: 'map',
      value: { value: { case: 'kvlistValue' as const, value: { values: [...keys, ...keys] } } },
    }
    const attributes = [nested, ...keys, nested, ...keys]
    const content = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }, { attributes }] }] }] }

    const { documents } = render(LogBatch.decode(encodeRequest(content as RequestInit)))

    const firsts = Object.fromEntries(
      Array.from({ length: different }, (_, index) => [`key-${index}`, `${index}`]),
    )
    const expected = { attributes: { map: firsts, ...firsts } }
    expect(documents).toMatchObject([expected, expected])
  })
})

describe('an element that was damaged in its buffer', () => {
  it('costs only the records that are damaged', () => {
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

        const { sources, failures } = render(batch)

        expect(sources.length + failures.length).toBe(batch.size)
      }),
      runs(300),
    )
  })

  it('never shows a record with the resource of another', () => {
    const resourceLogs = ['good', 'bad', 'fine'].map((name) => ({
      resource: { attributes: [{ key: 'name', value: value(name) }] },
      scopeLogs: [{ logRecords: [{}, {}] }],
    }))
    const element = encodeRequest({ resourceLogs })
    // The length of the value before the text, which now runs past its attribute.
    element[element.indexOf('bad') - 1] = 0x7f

    const { documents, failures } = render(LogBatch.open(element))

    expect(documents).toMatchObject(
      ['good', 'good', 'fine', 'fine'].map((name) => ({ resource: { attributes: { name } } })),
    )
    expect(failures).toEqual([expect.stringMatching(/^2: a length/), expect.stringMatching(/^3: a length/)])
  })

  it('is told when its values are nested too deeply, not when the stack is exhausted', () => {
    let nested: AnyValue['value'] = value('deep').value
    for (let level = 0; level < 70; level++) {
      nested = { case: 'arrayValue', value: { values: [{ value: nested }] } } as AnyValue['value']
    }
    const logRecords = [
      {},
      { body: { value: nested } },
      { attributes: [{ key: 'data_stream.dataset', value: { value: nested } }] },
      {},
    ]

    const { documents, failures } = render(
      LogBatch.open(encodeRequest({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })),
    )

    expect(documents.length).toBe(2)
    expect(failures).toEqual([
      expect.stringContaining('deeper than 64'),
      expect.stringContaining('deeper than 64'),
    ])
  })
})
