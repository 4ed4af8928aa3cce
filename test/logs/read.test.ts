import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/logs/any-value.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { KeySet } from '../../src/logs/key-set.ts'
import type { IdState, LogRecord } from '../../src/logs/record.ts'
import { decodeRequest, firstOfEach, type RecordInContext, recordsOf, valueOf } from '../oracle/oracle.ts'
import { runs, sample, text } from '../support/arbitraries.ts'

const KEYS = ['a', 'k', 'http.route', '', 'é', '__proto__', 'nobody has this']

interface Seen {
  readonly severityNumber: number
  readonly traceId: IdState
  readonly spanId: IdState
  readonly randomness: string
  readonly attributes: readonly (readonly [string, Value | undefined])[]
  readonly has: readonly boolean[]
}

function seenOf(record: LogRecord, keys: readonly string[]): Seen {
  return {
    severityNumber: record.severityNumber,
    traceId: record.traceIdState,
    spanId: record.spanIdState,
    randomness:
      record.traceIdState === 'valid' ? hex(record.traceRandomHigh, 6) + hex(record.traceRandomLow, 8) : '',
    attributes: keys.map((key) => [key, record.attribute(key)]),
    has: keys.map((key) => record.hasAttribute(new KeySet([key]))),
  }
}

function expectedOf({ record }: RecordInContext, keys: readonly string[]): Seen {
  const attributes = new Map(firstOfEach(record.attributes).map(({ key, value }) => [key, valueOf(value)]))
  const traceId = stateOf(record.traceId, 16)
  return {
    severityNumber: record.severityNumber,
    traceId,
    spanId: stateOf(record.spanId, 8),
    randomness: traceId === 'valid' ? Buffer.from(record.traceId).toString('hex', 9) : '',
    attributes: keys.map((key) => [key, attributes.get(key)]),
    has: keys.map((key) => attributes.has(key)),
  }
}

function stateOf(id: Uint8Array, size: number): IdState {
  if (id.length === 0) return 'absent'
  return id.length === size && id.some((byte) => byte !== 0) ? 'valid' : 'invalid'
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

/** To the precision of a double. */
const milliseconds = (nanoseconds: bigint): number => Math.floor(Number(nanoseconds) / 1e6)

/** Values with bytes as plain arrays, which compare equal whoever made them. */
function plain(value: Value | undefined): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]))
  return Array.isArray(value) ? value.map(plain) : value
}

const comparable = (seen: Seen): object => ({
  ...seen,
  attributes: seen.attributes.map(([key, value]) => [key, plain(value)]),
})

function read(batch: LogBatch, keys: readonly string[]): object[] {
  const seen: object[] = []
  batch.forEach((record) => seen.push(comparable(seenOf(record, keys))))
  return seen
}

describe('a record of a batch', () => {
  it('reads as the oracle has it, at the door and out of a buffer', () => {
    fc.assert(
      fc.property(sample, text, ({ bytes }, key) => {
        const keys = [...KEYS, key]
        const expected = recordsOf(decodeRequest(bytes)).map((record) => comparable(expectedOf(record, keys)))

        const batch = LogBatch.decode(bytes)
        expect(read(batch, keys)).toEqual(expected)

        batch.identify(Buffer.alloc(32))
        const stored = batch.encode(Number.POSITIVE_INFINITY)
        expect(stored.flatMap(({ bytes }) => read(LogBatch.open(bytes), keys))).toEqual(expected)
      }),
      runs(150),
    )
  })

  it('has a hash that the same bytes repeat', () => {
    fc.assert(
      fc.property(sample, ({ bytes }) => {
        const hashes = (): number[] => {
          const all: number[] = []
          LogBatch.decode(Buffer.from(bytes)).forEach((record) => all.push(record.hash))
          return all
        }
        expect(hashes()).toEqual(hashes())
      }),
      runs(20),
    )
  })
})

describe('a batch', () => {
  it('counts its records and knows their times', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const records = recordsOf(request).map(({ record }) => record)
        const times = records
          .map((record) => milliseconds(record.observedTimeUnixNano) || milliseconds(record.timeUnixNano))
          .filter((time) => time > 0)

        const batch = LogBatch.decode(bytes, 1_750_000_000_000)

        expect(batch.size).toBe(records.length)
        expect(batch.receivedMs).toBe(1_750_000_000_000)
        expect(batch.observedMs).toEqual([times.length === 0 ? 1_750_000_000_000 : Math.min(...times)])
      }),
      runs(),
    )
  })

  it('takes its time prefix from the first record, whichever time that has', () => {
    fc.assert(
      fc.property(sample, ({ request, bytes }) => {
        const first = recordsOf(request).at(0)?.record
        const times = first === undefined ? [] : [first.timeUnixNano, first.observedTimeUnixNano]

        const expected = times.map(milliseconds).find((time) => time > 0) ?? 0
        expect(LogBatch.decode(bytes).data.parts[0].timeMs).toBe(expected)
      }),
      runs(),
    )
  })
})
