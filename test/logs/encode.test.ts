import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../src/logs/batch.ts'
import { partOf, recordCount } from '../../src/logs/data.ts'
import { batchId } from '../../src/logs/identity.ts'
import { L } from '../../src/logs/structure.ts'
import {
  decodeRequest,
  encodeRequest,
  filterRecords,
  type RecordInContext,
  recordsOf,
  withoutEmpty,
} from '../oracle/oracle.ts'
import { choice, request, runs, sample } from '../support/arbitraries.ts'

const KEY = Buffer.alloc(32, 7)
const WHOLE = Number.POSITIVE_INFINITY
const size = fc.constantFrom(1, 50, 300, 2000, WHOLE)

function identified(bytes: Buffer): LogBatch {
  const batch = LogBatch.decode(bytes)
  batch.identify(KEY)
  return batch
}

const elements = (batch: LogBatch, maxBytes = WHOLE): Buffer[] =>
  batch.encode(maxBytes).map(({ bytes }) => bytes)

function dropUnless(batch: LogBatch, kept: readonly boolean[]): void {
  let next = 0
  batch.forEach((record) => {
    if (!kept[next++]) record.drop('test')
  })
}

/** A record with what identifies it. */
interface Identified {
  readonly id: string
  readonly position: number
  readonly record: RecordInContext
}

/** What the elements hold: records as the oracle reads them, identities as `LogBatch.open` does. */
function stored(elements: readonly Buffer[]): Identified[] {
  return elements.flatMap((bytes) => {
    const { data } = LogBatch.open(bytes)
    return recordsOf(decodeRequest(bytes)).map((record, index) => ({
      id: Buffer.from(partOf(data, index).id ?? []).toString('hex'),
      position: data.rows[index * L.STRIDE + L.POSITION],
      record,
    }))
  })
}

/** What a request should be stored as. */
function expectedOf(bytes: Buffer, kept: readonly boolean[]): Identified[] {
  const { data } = LogBatch.decode(bytes)
  const id = batchId(KEY, data.bytes, data.parts[0].timeMs).toString('hex')
  return recordsOf(decodeRequest(bytes))
    .map((record, position) => ({ id, position, record }))
    .filter((_, position) => kept[position])
}

describe('encoding', () => {
  it('keeps the request, less the scopes and resources without records', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const encoded = identified(bytes).encode(WHOLE)

        const whole = decodeRequest(Buffer.concat(encoded.map((element) => element.bytes)))
        expect(withoutEmpty(whole)).toEqual(withoutEmpty(request))
        expect(encoded.length).toBe(recordsOf(request).length === 0 ? 0 : 1)
      }),
      runs(),
    )
  })

  it('splits without losing, doubling or moving a record', () => {
    fc.assert(
      fc.property(sample, size, ({ request, bytes }, maxBytes) => {
        const encoded = identified(bytes).encode(maxBytes)

        const requests = encoded.map((element) => decodeRequest(element.bytes))
        expect(requests.flatMap(recordsOf)).toEqual(recordsOf(request))
        expect(encoded.map(({ records }) => records)).toEqual(
          requests.map((piece) => recordsOf(piece).length),
        )
        if (maxBytes === 1) expect(encoded.every(({ records }) => records === 1)).toBe(true)
      }),
      runs(),
    )
  })

  it('leaves out what was dropped, and what is empty without it', () => {
    fc.assert(
      fc.property(sample, choice, ({ request, bytes }, kept) => {
        const batch = identified(bytes)

        dropUnless(batch, kept)

        const expected = filterRecords(request, (record) => kept[record])
        expect(withoutEmpty(decodeRequest(Buffer.concat(elements(batch))))).toEqual(expected)
        const live = recordsOf(expected).length
        expect(batch.size).toBe(live)
        expect(batch.indices()).toEqual(
          [...kept.keys()].filter((index) => kept[index] && index < recordCount(batch.data)),
        )
        const dropped = recordsOf(request).length - live
        expect([...batch.takeDrops()]).toEqual(dropped === 0 ? [] : [['test', dropped]])
        expect(batch.takeDrops().size).toBe(0)
      }),
      runs(),
    )
  })

  it('keeps its pieces near the size asked for', () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: 1, max: 3000 }), ({ bytes }, maxBytes) => {
        const batch = identified(bytes)
        const { rows } = batch.data
        const sizes = batch
          .indices()
          .map((index) => rows[index * L.STRIDE + L.END] - rows[index * L.STRIDE + L.FIELD])

        let first = 0
        for (const { records } of batch.encode(maxBytes)) {
          const piece = sizes.slice(first, first + records)
          if (records > 1) expect(piece.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(maxBytes)
          first += records
        }
      }),
      runs(30),
    )
  })
})

describe('a record in a buffer', () => {
  it('has the id of its request and its position in it, whatever was dropped, split and gathered since', () => {
    fc.assert(
      fc.property(
        sample,
        sample,
        choice,
        choice,
        fc.tuple(size, size, size),
        (one, other, kept, keptLater, sizes) => {
          const batches = [one, other].map(({ bytes }) => identified(bytes))
          for (const batch of batches) dropUnless(batch, kept)
          const [split, splitAgain] = [0, 1].map((at) => elements(batches[at], sizes[at]))

          const expected = [...expectedOf(one.bytes, kept), ...expectedOf(other.bytes, kept)]
          expect(stored([...split, ...splitAgain])).toEqual(expected)

          const open = (): LogBatch[] => [...split, ...splitAgain].map((bytes) => LogBatch.open(bytes))
          if (expected.length === 0) return
          const gathered = LogBatch.concat(open())
          expect(gathered.size).toBe(expected.length)
          expect(stored(elements(gathered))).toEqual(expected)

          dropUnless(gathered, keptLater)
          const left = expected.filter((_, index) => keptLater[index] ?? false)
          expect(stored(elements(gathered, sizes[2]))).toEqual(left)
          expect(stored(elements(LogBatch.concat([gathered, ...open()])))).toEqual([...left, ...expected])
        },
      ),
      runs(80),
    )
  })

  it('keeps them in elements that were gathered in any order', () => {
    fc.assert(
      fc.property(sample, fc.infiniteStream(fc.nat()), ({ bytes }, order) => {
        const pieces = elements(identified(bytes), 1)
        const shuffled = pieces
          .map((piece) => ({ piece, at: order.next().value }))
          .sort((a, b) => a.at - b.at)
        const gathered = Buffer.concat(shuffled.map(({ piece }) => piece))

        const reopened = elements(LogBatch.open(gathered), 500)

        expect(stored(reopened)).toEqual(shuffled.flatMap(({ piece }) => stored([piece])))
        const byPosition = stored(reopened).sort((a, b) => a.position - b.position)
        expect(byPosition).toEqual(
          expectedOf(
            bytes,
            pieces.map(() => true),
          ),
        )
      }),
      runs(),
    )
  })

  it('keeps its times and, in a dead-letter queue, why it is there', () => {
    const letter = { reason: 'mapper_parsing_exception', pipeline: 'logs/drain', buriedMs: 1_760_000_000_123 }
    fc.assert(
      fc.property(sample, size, ({ request, bytes }, maxBytes) => {
        fc.pre(recordsOf(request).length > 0)
        const batch = LogBatch.decode(bytes, 1_750_000_000_000)
        batch.identify(KEY)

        for (const element of batch.encode(maxBytes, letter)) {
          const opened = LogBatch.open(element.bytes)
          expect(opened.letter).toEqual(letter)
          expect(opened.receivedMs).toBe(1_750_000_000_000)
          expect(opened.observedMs).toEqual(batch.observedMs)
          expect(opened.size).toBe(element.records)
        }
        expect(LogBatch.open(elements(batch)[0]).letter).toBeUndefined()
      }),
      runs(30),
    )
  })

  it('gets a new identity where a client sends what looks like one', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        fc.pre(recordsOf(request).length > 0)
        const forged = elements(identified(bytes))[0]

        const batch = identified(forged)

        const id = batchId(KEY, forged, batch.data.parts[0].timeMs).toString('hex')
        expect(new Set(stored(elements(batch)).map((record) => record.id))).toEqual(new Set([id]))
      }),
      runs(20),
    )
  })
})

describe('an element that nobody changed', () => {
  it('is not written anew', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        fc.pre(recordsOf(request).length > 0)
        const [element] = elements(identified(bytes))

        expect(elements(LogBatch.open(element))[0].equals(element)).toBe(true)
        expect(LogBatch.concat([LogBatch.open(element), LogBatch.open(element)]).data.bytes).toEqual(
          Buffer.concat([element, element]),
        )
      }),
      runs(20),
    )
  })

  it('can come from another OTLP tool: its records count from zero and get an id', () => {
    fc.assert(
      fc.property(request, (request) => {
        const batch = LogBatch.open(encodeRequest(request))
        batch.identify(KEY)

        const positions = stored(elements(batch)).map(({ position }) => position)
        expect(positions).toEqual([...recordsOf(request).keys()])
      }),
      runs(20),
    )
  })
})
