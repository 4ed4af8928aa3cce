import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/arbitraries.ts'
import type { Batch } from '../../src/pipe/batch.ts'
import { recordsOf } from '../../src/pipe/tally.ts'
import { checksum, portableChecksum } from '../../src/spill/checksum.ts'
import { DONE, encodeEntry, entrySize, readSegment, saltOf, segmentName } from '../../src/spill/format.ts'

const SALT = '0123456789abcdef'
const tally = fc.uniqueArray(
  fc.tuple(fc.nat({ max: 24 }), fc.record({ records: fc.integer({ min: 1, max: 500 }), bytes: fc.nat() })),
  { selector: ([severity]) => severity, minLength: 1, maxLength: 6 },
)
const batch: fc.Arbitrary<Batch> = fc
  .record({ payload: fc.uint8Array({ maxLength: 300, size: 'max' }), tally })
  .map(({ payload, tally }) => {
    const map = new Map(tally)
    return { bytes: Buffer.from(payload), tally: map, records: recordsOf(map) }
  })
const batches = fc.array(batch, { minLength: 1, maxLength: 12 })

function segmentOf(batches: readonly Batch[]): { bytes: Buffer; offsets: number[] } {
  const offsets: number[] = []
  const entries: Buffer[] = []
  let [at, before] = [0, 0]
  for (const batch of batches) {
    offsets.push(at)
    entries.push(encodeEntry(batch, before, SALT))
    at += entrySize(batch)
    before += batch.records
  }
  return { bytes: Buffer.concat(entries), offsets }
}

const sum = (batches: readonly { records: number }[]): number =>
  batches.reduce((total, { records }) => total + records, 0)

describe('a segment', () => {
  it('gives back what was written, with where it stands', () => {
    fc.assert(
      fc.property(batches, (batches) => {
        const { bytes, offsets } = segmentOf(batches)

        const contents = readSegment(bytes, SALT)

        expect(contents.batches).toEqual(batches.map((batch, i) => ({ ...batch, offset: offsets[i] })))
        expect(contents).toMatchObject({ lost: new Map(), unreadableBytes: 0 })
      }),
      runs(),
    )
  })

  it('leaves out what is done', () => {
    fc.assert(
      fc.property(batches, fc.array(fc.nat(), { maxLength: 12 }), (batches, picks) => {
        const { bytes, offsets } = segmentOf(batches)
        const done = new Set(picks.map((pick) => offsets[pick % offsets.length]))
        for (const offset of done) DONE.copy(bytes, offset)

        const contents = readSegment(bytes, SALT)

        expect(contents.batches.map(({ offset }) => offset)).toEqual(
          offsets.filter((offset) => !done.has(offset)),
        )
        expect(contents.unreadableBytes).toBe(0)
      }),
      runs(),
    )
  })

  it('keeps every whole batch when it ends anywhere', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (batches, cut) => {
        const { bytes, offsets } = segmentOf(batches)
        const end = cut % bytes.length
        const whole = batches.filter((batch, i) => offsets[i] + entrySize(batch) <= end)

        const contents = readSegment(bytes.subarray(0, end), SALT)

        expect(contents.batches.map(({ bytes }) => bytes)).toEqual(whole.map(({ bytes }) => bytes))
        expect(recordsOf(contents.lost)).toBeLessThanOrEqual(sum(batches) - sum(whole))
      }),
      runs(),
    )
  })

  it('loses only the batch that is damaged, and knows how many records that were', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat({ max: 7 }), (batches, place, bit) => {
        const { bytes, offsets } = segmentOf(batches)
        const at = place % bytes.length
        bytes[at] ^= 1 << bit
        const hit = offsets.findLastIndex((offset) => offset <= at)
        // A state that is neither is that of a batch to be sent.
        const harmless = at - offsets[hit] < DONE.length
        const left = batches.filter((_, i) => harmless || i !== hit)

        const contents = readSegment(bytes, SALT)

        expect(contents.batches.map(({ bytes }) => bytes)).toEqual(left.map(({ bytes }) => bytes))
        const inHead = at - offsets[hit] < entrySize(batches[hit]) - batches[hit].bytes.length
        // Without a head, and without a batch behind that would tell, nobody knows.
        const unknown = inHead && hit === batches.length - 1
        expect(recordsOf(contents.lost)).toBe(unknown ? 0 : sum(batches) - sum(left))
      }),
      runs(200),
    )
  })

  it('survives any damage', () => {
    const strokes = fc.array(
      fc.record({ at: fc.nat(), size: fc.nat({ max: 200 }), kind: fc.constantFrom('zero', 'cut', 'noise') }),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(batches, strokes, (batches, strokes) => {
        const { bytes } = segmentOf(batches)
        const written = batches.map(({ bytes }) => bytes.toString('latin1'))
        let damaged = bytes
        for (const { at, size, kind } of strokes) {
          const start = damaged.length === 0 ? 0 : at % damaged.length
          const end = Math.min(damaged.length, start + size)
          if (kind === 'cut') damaged = Buffer.concat([damaged.subarray(0, start), damaged.subarray(end)])
          else if (kind === 'zero') damaged.fill(0, start, end)
          else for (let i = start; i < end; i++) damaged[i] ^= 0x5a + i
        }

        const contents = readSegment(damaged, SALT)

        // In order, and nothing that was never written.
        let from = 0
        for (const { bytes } of contents.batches) {
          from = written.indexOf(bytes.toString('latin1'), from) + 1
          expect(from).toBeGreaterThan(0)
        }
      }),
      runs(200),
    )
  })

  it('takes no payload for an entry, even where damage makes it look for one', () => {
    const forged = encodeEntry(
      { bytes: Buffer.from('forged'), records: 1, tally: new Map() },
      0,
      'another salt',
    )
    const { bytes } = segmentOf([
      { bytes: forged, records: 1, tally: new Map([[9, { records: 1, bytes: 1 }]]) },
    ])
    bytes[5] ^= 1

    expect(readSegment(bytes, SALT).batches).toEqual([])
  })

  it('has a name that sorts by time and tells its salt', () => {
    const names = [
      segmentName(99, 0, SALT),
      segmentName(1_790_000_000_000, 7, SALT),
      segmentName(1_790_000_000_000, 10, SALT),
    ]

    expect([...names].sort()).toEqual(names)
    expect(names.map(saltOf)).toEqual([SALT, SALT, SALT])
    expect(saltOf('owner.json')).toBeUndefined()
  })
})

describe('the checksum', () => {
  it('is the same with and without the help of zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (first, second) => {
        const whole = Buffer.concat([first, second])
        const expected = crc32(whole)

        expect(portableChecksum(Buffer.from(second), portableChecksum(Buffer.from(first)))).toBe(expected)
        expect(checksum(whole)).toBe(expected)
      }),
      runs(),
    )
  })
})
