import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeRequest, filterRecords, type Request, type RequestInit, recordsOf } from '../oracle/oracle.ts'
import { request, runs, sample } from '../support/arbitraries.ts'
import { contentOf, decoded, encoded, replaceA, rewritten, scanForA, scanNothing } from './edits.ts'

const mask = (text: string): string => text.replace(/\d{10,}/, '***')

/** Which records hold an `a` in a text of their own, their scope or their resource. */
function recordsWithA(request: Request): boolean[] {
  return recordsOf(request).map(({ record, scope, resource }) => {
    let found = false
    const resourceLogs = [
      { resource, scopeLogs: [{ scope, logRecords: [record] }] },
    ] as Request['resourceLogs']
    rewritten({ ...request, resourceLogs }, (text) => {
      if (text.includes('a')) found = true
      return text
    })
    return found
  })
}

describe('rewriting texts', () => {
  it('reaches every text and key of records, scopes and resources, and nothing else', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const batch = decoded(bytes)

        batch.rewriteTexts(scanForA, replaceA, 'failed')

        expect(contentOf(batch)).toEqual(rewritten(request, replaceA))
        expect(batch.size).toBe(recordsOf(request).length)
      }),
      runs(150),
    )
  })

  const long = 'ü'.repeat(60)
  const bytesOfLong = Buffer.from(long).toString('latin1')

  it('works on texts that were rewritten before, and on a batch out of a buffer', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const batch = LogBatch.open(encoded(decoded(bytes)))

        batch.rewriteTexts(scanForA, replaceA, 'failed')
        batch.rewriteTexts(scanNothing, (text) => text.replaceAll('XYZ', bytesOfLong), 'failed')

        const twice = (text: string): string => replaceA(text).replaceAll('XYZ', long)
        expect(contentOf(LogBatch.concat([batch]))).toEqual(rewritten(request, twice))
      }),
      runs(),
    )
  })

  it('leaves every byte as it is where nothing is found', () => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const batch = decoded(bytes)

        batch.rewriteTexts(scanForA, (text) => text, 'failed')

        expect(encoded(batch).equals(encoded(decoded(bytes)))).toBe(true)
      }),
      runs(20),
    )
  })

  it('drops the records whose own, scope or resource texts cannot be rewritten', () => {
    const refuse = (text: string): string => {
      if (text.includes('a')) throw new Error('refused')
      return text
    }
    fc.assert(
      fc.property(request, (request) => {
        const batch = decoded(encodeRequest(request))

        batch.rewriteTexts(scanForA, refuse, 'redaction_failed')

        const refused = recordsWithA(request)
        expect(contentOf(batch)).toEqual(filterRecords(request, (record) => !refused[record]))
        const dropped = refused.filter(Boolean).length
        expect([...batch.takeDrops()]).toEqual(dropped === 0 ? [] : [['redaction_failed', dropped]])
      }),
      runs(),
    )
  })

  it('drops what would no longer be UTF-8', () => {
    fc.assert(
      fc.property(request, (request) => {
        const batch = decoded(encodeRequest(request))

        batch.rewriteTexts(scanForA, (text) => text.replaceAll('a', '\xff'), 'redaction_failed')

        const refused = recordsWithA(request)
        expect(contentOf(batch)).toEqual(filterRecords(request, (record) => !refused[record]))
      }),
      runs(),
    )
  })

  it('offers whole numbers of ten digits and more as texts, wherever they are', () => {
    const numbers = [4_111_111_111_111_111n, 13_800_138_000n, 123_456n, -1n]
    const values = numbers.map((number) => ({ value: { case: 'intValue' as const, value: number } }))
    const attributes = values.map((value) => ({ key: 'k', value }))
    const records = values.map((body) => ({ body }))
    const withNumbers = (content: RequestInit): unknown[] => {
      const found: unknown[] = []
      const batch = decoded(encodeRequest(content))
      batch.rewriteTexts(scanNothing, mask, 'failed')
      const [{ resource, scope }] = recordsOf(contentOf(batch))
      for (const { record } of recordsOf(contentOf(batch))) {
        if (record.body) found.push(record.body.value.value)
        for (const { value } of record.attributes) found.push(value?.value.value)
      }
      for (const { value } of [...(resource?.attributes ?? []), ...(scope?.attributes ?? [])])
        found.push(value?.value.value)
      return found
    }

    const masked = ['***', '***', 123_456n, -1n]
    expect(withNumbers({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })).toEqual(masked)
    expect(withNumbers({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] })).toEqual(masked)
    expect(
      withNumbers({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [{}] }] }] }),
    ).toEqual(masked)
    expect(
      withNumbers({ resourceLogs: [{ scopeLogs: [{ scope: { attributes }, logRecords: [{}] }] }] }),
    ).toEqual(masked)
  })
})
