import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogBatch } from '../../src/logs/batch.ts'
import type { IdState, TraceContext } from '../../src/logs/record.ts'
import { decodeRequest, filterRecords, type Request, recordsOf, withoutEmpty } from '../oracle/oracle.ts'
import { choice, MOST_RECORDS, runs, sample } from '../support/arbitraries.ts'
import { contentOf, decoded, encoded, replaceA, rewritten, scanForA } from './edits.ts'

const traceContext: fc.Arbitrary<TraceContext> = fc.record(
  {
    traceId: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(16), Buffer.alloc(16, 0xa5)),
    spanId: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(8), Buffer.alloc(8, 0x5a)),
    flags: fc.constantFrom(0, 1, 0xffffffff),
  },
  { requiredKeys: [] },
)
const contexts = fc.array(fc.option(traceContext, { nil: undefined }), {
  minLength: MOST_RECORDS,
  maxLength: MOST_RECORDS,
  size: 'max',
})

function stateOf(id: Uint8Array): IdState {
  return id.length === 0 ? 'absent' : id.some((byte) => byte !== 0) ? 'valid' : 'invalid'
}

function setAll(batch: LogBatch, contexts: readonly (TraceContext | undefined)[]): void {
  let next = 0
  batch.forEach((record) => {
    const context = contexts[next++]
    if (context) record.setTraceContext(context)
  })
}

function withContexts(request: Request, contexts: readonly (TraceContext | undefined)[]): Request {
  const copy = withoutEmpty(structuredClone(request))
  for (const [index, { record }] of recordsOf(copy).entries()) {
    const { traceId, spanId, flags } = contexts[index] ?? {}
    if (traceId) record.traceId = new Uint8Array(traceId)
    if (spanId) record.spanId = new Uint8Array(spanId)
    record.flags = flags ?? record.flags
  }
  return copy
}

describe('setting the trace context', () => {
  it('replaces what the record had and leaves the rest', () => {
    fc.assert(
      fc.property(sample, contexts, contexts, ({ request, bytes }, first, second) => {
        const batch = decoded(bytes)

        setAll(batch, first)
        expect(contentOf(batch)).toEqual(withContexts(request, first))

        setAll(batch, second)
        expect(contentOf(batch)).toEqual(withContexts(withContexts(request, first), second))
      }),
      runs(),
    )
  })

  it('shows at once in the record, and nothing else moves', () => {
    fc.assert(
      fc.property(sample, traceContext, ({ bytes }, context) => {
        decoded(bytes).forEach((record) => {
          const { traceIdState, spanIdState, severityNumber, hasFlags } = record
          const attribute = record.attribute('a')

          record.setTraceContext(context)

          expect(record.traceIdState).toBe(context.traceId ? stateOf(context.traceId) : traceIdState)
          expect(record.spanIdState).toBe(context.spanId ? stateOf(context.spanId) : spanIdState)
          expect(record.severityNumber).toBe(severityNumber)
          expect(record.hasFlags).toBe(hasFlags || context.flags !== undefined)
          expect(record.attribute('a')).toEqual(attribute)
        })
      }),
      runs(20),
    )
  })

  it('goes together with rewriting and dropping, in any order', () => {
    fc.assert(
      fc.property(
        sample,
        contexts,
        choice,
        fc.boolean(),
        ({ request, bytes }, contexts, kept, rewriteFirst) => {
          const batch = decoded(bytes)
          let next = 0

          if (rewriteFirst) batch.rewriteTexts(scanForA, replaceA, 'failed')
          setAll(batch, contexts)
          batch.forEach((record) => {
            if (!kept[next++]) record.drop('test')
          })
          if (!rewriteFirst) batch.rewriteTexts(scanForA, replaceA, 'failed')

          const edited = rewritten(withContexts(request, contexts), replaceA)
          expect(contentOf(batch)).toEqual(filterRecords(edited, (record) => kept[record]))
        },
      ),
      runs(),
    )
  })
})

function changeEverything(batch: LogBatch): void {
  batch.rewriteTexts(scanForA, replaceA, 'failed')
  batch.forEach((record) => record.setTraceContext({ traceId: Buffer.alloc(16, 1) }))
  batch.forEach((record) => record.drop('test'))
}

describe('a fork', () => {
  it('is edited apart from the batch, before and after it was edited itself', () => {
    fc.assert(
      fc.property(sample, contexts, ({ bytes }, contexts) => {
        const batch = decoded(bytes)
        setAll(batch, contexts)
        const before = encoded(batch)

        const fork = batch.fork()
        changeEverything(fork.fork())
        changeEverything(batch)

        expect(encoded(fork).equals(before)).toBe(true)
        expect(batch.size).toBe(0)
        expect(fork.size).toBe(recordsOf(decodeRequest(before)).length)
      }),
      runs(30),
    )
  })
})

describe('a selection', () => {
  it('holds those records as edited, by the index they had', () => {
    fc.assert(
      fc.property(sample, contexts, choice, ({ request, bytes }, contexts, chosen) => {
        const batch = decoded(bytes)
        setAll(batch, contexts)
        const indices = batch.indices().filter((index) => chosen[index])

        const selection = batch.select(indices)

        expect(selection.size).toBe(indices.length)
        expect(selection.indices()).toEqual(indices)
        expect(selection.select(batch.indices()).indices()).toEqual(indices)
        const expected = filterRecords(withContexts(request, contexts), (record) => chosen[record])
        expect(contentOf(selection)).toEqual(expected)
      }),
      runs(),
    )
  })

  it('can drop and be edited without changing the batch it comes from', () => {
    fc.assert(
      fc.property(sample, contexts, ({ bytes }, contexts) => {
        const batch = decoded(bytes)
        setAll(batch, contexts)
        const before = encoded(batch)

        changeEverything(batch.select(batch.indices()))

        expect(encoded(batch).equals(before)).toBe(true)
      }),
      runs(30),
    )
  })
})
