import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEADER_BYTES } from '../../../connectors/disk/segment.ts'
import { runs } from '../../support/arbitraries.ts'
import { batchOf, drain, GROUP, newFolder, openBuffer, segmentsIn } from './harness.ts'

const SETTINGS = { segment_size: '4KiB', compression: 'none' }
const ELEMENTS = 14
const ACKED = 3
const bodyOf = (element: number): string => `${element} `.padEnd(700, '.')

/** Where a file of a log is hit, and how. */
type Damage =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bits: number }
  | { readonly kind: 'zeros'; readonly at: number; readonly size: number }
  | { readonly kind: 'cursor' }

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bits: fc.integer({ min: 1, max: 255 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('zeros' as const), at, size: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cursor' as const) }) },
)

/** A record of a segment: what it holds, and where it lies. */
interface Place {
  readonly element: number
  readonly start: number
  readonly end: number
}

function placesIn(bytes: Buffer, first: number): Place[] {
  const places: Place[] = []
  for (let start = HEADER_BYTES; start < bytes.length; ) {
    const end = start + 8 + bytes.readUInt32LE(start)
    places.push({ element: first + places.length, start, end })
    start = end
  }
  return places
}

/** Damages one segment file, and tells which bytes are not what they were. A cut comes last: it hits only the last segment. */
function hit(bytes: Buffer, damages: readonly Damage[], isLast: boolean): Buffer {
  let result = Buffer.from(bytes)
  for (const each of damages) {
    if (each.kind === 'cursor' || result.length === 0) continue
    const offset = Math.floor(each.at * result.length)
    if (each.kind === 'flip') result[offset] ^= each.bits
    else if (each.kind === 'zeros') result.fill(0, offset, Math.min(result.length, offset + each.size))
    else if (isLast) result = result.subarray(0, offset)
  }
  return result
}

describe('a buffer that was damaged anywhere', () => {
  it('starts, delivers every record that is whole, counts every byte that is not, and takes new ones', async () => {
    const template = newFolder()
    const before = await openBuffer(template, SETTINGS)
    for (let element = 0; element < ELEMENTS; element++) {
      await before.push(batchOf(1, () => bodyOf(element)))
    }
    const leases = before.connector.leases(GROUP, new AbortController().signal)[Symbol.asyncIterator]()
    for (let acked = 0; acked < ACKED; acked++) await (await leases.next()).value.ack()
    await before.stop()
    const segments = await segmentsIn(template)
    expect(segments.length).toBeGreaterThan(2)
    const folder = join(newFolder(), 'copy')

    await fc.assert(
      fc.asyncProperty(
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.nat(segments.length - 1),
        async (damages, which) => {
          rmSync(folder, { recursive: true, force: true })
          cpSync(template, folder, { recursive: true })
          const cursorLost = damages.some(({ kind }) => kind === 'cursor')
          if (cursorLost) writeFileSync(join(folder, 'cursor-logs%2Fdrain'), Buffer.alloc(1024))
          const name = segments[which]
          const whole = readFileSync(join(template, name))
          const broken = hit(whole, damages, which === segments.length - 1)
          writeFileSync(join(folder, name), broken)
          const places = placesIn(whole, Number(name.slice(0, 16)))
          const lost = places.filter(
            ({ start, end }) => !broken.subarray(start, end).equals(whole.subarray(start, end)),
          )

          const buffer = await openBuffer(folder, SETTINGS)
          await buffer.push(batchOf(1, () => 'new'))
          const bodies = await drain(buffer)
          const counted = await buffer.context.value('sluice_buffer_corrupt_bytes_total')
          await buffer.stop()

          const gone = new Set(lost.map(({ element }) => element))
          const expected = Array.from({ length: ELEMENTS }, (_, element) => element)
            .filter((element) => (cursorLost || element >= ACKED) && !gone.has(element))
            .map(bodyOf)
          expect(bodies).toEqual([...expected, 'new'])
          expect(existsSync(join(folder, 'lock'))).toBe(false)
          expect(counted).toBe(bytesCounted(broken, whole, lost, which === segments.length - 1))
        },
      ),
      runs(),
    )
  })
})

/** What a reader passes over: damaged records, as far as they are there, and the header of the segment written last. */
function bytesCounted(broken: Buffer, whole: Buffer, lost: readonly Place[], isLast: boolean): number {
  const header = Math.min(broken.length, HEADER_BYTES)
  const headerIsLost = isLast && !broken.subarray(0, HEADER_BYTES).equals(whole.subarray(0, HEADER_BYTES))
  return lost.reduce(
    (sum, { start, end }) => sum + Math.max(0, Math.min(end, broken.length) - start),
    headerIsLost ? header : 0,
  )
}
