import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/arbitraries.ts'
import { isBefore, RecordQueue } from '../../src/pipe/queue.ts'
import type { Scope } from '../../src/pipe/sink.ts'

const SCOPES: readonly Scope[] = [{ name: 'a' }, { name: 'b' }, { name: 'a' }]
/** Bytes that the queue adds to a record. */
const HEADER = 11
const NO_LIMIT = { maxBytes: 2 ** 30, maxRecords: Number.POSITIVE_INFINITY }

interface Taken {
  readonly bytes: string
  readonly scope: Scope
  readonly severity: number
}

function offer(queue: RecordQueue, text: string, severity = 9, scope = SCOPES[0]): boolean {
  const bytes = Buffer.from(`<${text}>`, 'latin1')
  return queue.offer(scope, severity, bytes, 1, bytes.length - 1)
}

function take(queue: RecordQueue, maxRecords = 1e9, maxBytes = 1e9): Taken[] {
  const taken: Taken[] = []
  queue.take(maxRecords, maxBytes, (chunk, start, end, scope, severity) => {
    taken.push({ bytes: chunk.toString('latin1', start, end), scope, severity })
  })
  return taken
}

const texts = (taken: readonly Taken[]): string[] => taken.map(({ bytes }) => bytes)

describe('the queue', () => {
  it('gives records back as they came, in the order they came', () => {
    const record = fc.record({
      text: fc.oneof(
        fc.string({ unit: 'binary-ascii' }),
        fc.nat({ max: 3000 }).map((size) => 'x'.repeat(size)),
      ),
      severity: fc.nat({ max: 24 }),
      scope: fc.constantFrom(...SCOPES),
      take: fc.option(fc.nat({ max: 5 }), { nil: 0 }),
    })
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 200 }),
        fc.constantFrom(2 ** 30, 2 ** 16),
        (records, size) => {
          const queue = new RecordQueue({ ...NO_LIMIT, maxBytes: size * 16 }, () => expect.unreachable())
          const expected = records.map(({ text, severity, scope }) => ({ bytes: text, severity, scope }))
          const taken: Taken[] = []

          for (const { text, severity, scope, take: count } of records) {
            expect(offer(queue, text, severity, scope)).toBe(true)
            taken.push(...take(queue, count))
          }
          taken.push(...take(queue))

          expect(taken).toEqual(expected)
          // Scopes that look alike are two.
          for (const [index, { scope }] of taken.entries()) expect(scope).toBe(records[index].scope)
          expect([queue.bytes, queue.records, queue.oldest]).toEqual([0, 0, undefined])
        },
      ),
      runs(),
    )
  })

  it('never holds more than its limits, and drops the oldest of the least severe for what is more severe', () => {
    const record = fc.record({ size: fc.nat({ max: 600 }), severity: fc.nat({ max: 24 }) })
    const limits = fc.record({
      maxBytes: fc.integer({ min: 600, max: 9000 }),
      maxRecords: fc.integer({ min: 1, max: 40 }),
    })
    const rank = (severity: number): number => (severity === 0 ? 2 : Math.ceil(severity / 4) - 1)
    fc.assert(
      fc.property(fc.array(record, { maxLength: 200 }), limits, (records, limits) => {
        const evicted: number[] = []
        const queue = new RecordQueue(limits, (severity) => evicted.push(severity))
        let model: { seq: number; severity: number }[] = []

        for (const [seq, { size, severity }] of records.entries()) {
          evicted.length = 0
          const accepted = offer(queue, String(seq).padStart(size, '0'), severity)

          for (const victim of evicted) {
            // What left is the oldest of the lowest level there was, and below the newcomer's.
            const lowest = Math.min(...model.map(({ severity }) => rank(severity)))
            const oldest = model.find(({ severity }) => rank(severity) === lowest)
            expect(oldest?.severity).toBe(victim)
            expect(lowest).toBeLessThan(rank(severity))
            model = model.filter((one) => one !== oldest)
          }
          if (accepted) model.push({ seq, severity })
          else expect(evicted).toEqual([])
          expect(queue.records).toBe(model.length)
          expect(queue.bytes).toBeLessThanOrEqual(limits.maxBytes)
          expect(queue.records).toBeLessThanOrEqual(limits.maxRecords)
        }

        expect(take(queue).map(({ bytes }) => Number(bytes))).toEqual(model.map(({ seq }) => seq))
        expect(queue.bytes).toBe(0)
      }),
      runs(),
    )
  })

  it('refuses a record of the same level when it is full', () => {
    const queue = new RecordQueue({ maxBytes: 2 * (HEADER + 1), maxRecords: 10 }, () => expect.unreachable())

    expect([offer(queue, 'a'), offer(queue, 'b'), offer(queue, 'c', 12)]).toEqual([true, true, false])
    expect(texts(take(queue))).toEqual(['a', 'b'])
  })

  it('drops nothing for a record that has no room even so', () => {
    const queue = new RecordQueue({ maxBytes: 100, maxRecords: 10 }, () => expect.unreachable())
    offer(queue, 'debug', 5)
    offer(queue, 'f'.repeat(50), 21)

    expect(offer(queue, 'e'.repeat(50), 17)).toBe(false)
    expect(queue.records).toBe(2)
  })

  it('makes room of what is held outside of it as well', () => {
    const queue = new RecordQueue({ maxBytes: 100, maxRecords: 3 }, () => expect.unreachable())

    queue.hold(80, 1)
    expect(offer(queue, 'twelve bytes', 9)).toBe(false)
    queue.release(80, 1)
    queue.hold(0, 3)
    expect(offer(queue, 'twelve bytes', 9)).toBe(false)
    queue.release(0, 3)
    expect(offer(queue, 'twelve bytes', 9)).toBe(true)
  })

  it('hands out no more than was asked for, and at least one', () => {
    const queue = new RecordQueue(NO_LIMIT, () => expect.unreachable())
    for (const text of ['aaaa', 'bb', 'cc', 'dd']) offer(queue, text)

    expect(texts(take(queue, 10, 3))).toEqual(['aaaa'])
    expect(texts(take(queue, 10, 5))).toEqual(['bb', 'cc'])
    expect(texts(take(queue, 0))).toEqual([])
    expect(texts(take(queue, 1))).toEqual(['dd'])
  })

  it('numbers records, and knows which came first over the wrap', () => {
    const queue = new RecordQueue(NO_LIMIT, () => expect.unreachable())
    offer(queue, 'a')
    offer(queue, 'b')

    expect([queue.oldest, queue.newest]).toEqual([1, 2])
    expect(isBefore(1, 2)).toBe(true)
    expect(isBefore(2, 1)).toBe(false)
    expect(isBefore(0xffff_ffff, 0)).toBe(true)
  })
})
