import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HEADER_BYTES, RECORD_HEADER_BYTES } from '../../../connectors/disk/segment.ts'
import {
  batchOf,
  consume,
  corruptFilesIn,
  drain,
  namesOf,
  newFolder,
  type OpenBuffer,
  openBuffer,
  segmentsIn,
} from './harness.ts'

const NAMES = Array.from({ length: 8 }, (_, i) => `record ${i}`)
/** Of one segment. */
const SEGMENT = '0000000000000000.seg'

/** A folder with an element for each name, not acknowledged, and where each of their records begins and the last ends. */
async function filled(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<{ folder: string; offsets: number[] }> {
  const folder = newFolder()
  const buffer = await openBuffer(folder, settings)
  await buffer.pushNamed(...NAMES)
  await buffer.stop()
  const bytes = readFileSync(join(folder, SEGMENT))
  const offsets = [HEADER_BYTES]
  for (let at = HEADER_BYTES; at < bytes.length; ) offsets.push((at += 8 + bytes.readUInt32LE(at)))
  return { folder, offsets }
}

function copyOf(folder: string): string {
  const copy = newFolder()
  cpSync(folder, copy, { recursive: true })
  return copy
}

const corruptBytes = ({ context }: OpenBuffer): Promise<number> =>
  context.value('sluice_buffer_corrupt_bytes_total')

describe('a segment that was cut short', () => {
  it('at any byte of its last record keeps all the others, and takes new ones', {
    timeout: 60_000,
  }, async () => {
    const { folder, offsets } = await filled()
    const [start, end] = offsets.slice(-2)
    for (let size = start; size < end; size++) {
      const copy = copyOf(folder)
      truncateSync(join(copy, SEGMENT), size)

      await using buffer = await openBuffer(copy)
      expect(await corruptBytes(buffer)).toBe(size - start)
      await buffer.pushNamed('new')
      expect(await drain(buffer)).toEqual([...NAMES.slice(0, -1), 'new'])
      await buffer.stop()
      expect(await corruptFilesIn(copy)).toEqual([])
    }
  })

  it.each([0, 1, HEADER_BYTES - 1, HEADER_BYTES])('at byte %d is gone, and takes new ones', async (size) => {
    const { folder } = await filled()
    truncateSync(join(folder, SEGMENT), size)

    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('new')

    expect(await drain(buffer)).toEqual(['new'])
  })

  it('is cut for good: nobody meets the rest again', async () => {
    const { folder, offsets } = await filled()
    truncateSync(join(folder, SEGMENT), offsets[8] - 1)
    const before = await openBuffer(folder)
    await before.pushNamed('new')
    await before.stop()

    await using after = await openBuffer(folder)

    expect(namesOf(await consume(after).take(8))).toEqual([...NAMES.slice(0, -1), 'new'])
    expect(await corruptBytes(after)).toBe(0)
  })

  it('and filled with zeros, as a power cut does, keeps what was whole and sets the zeros aside', async () => {
    const { folder, offsets } = await filled()
    const bytes = readFileSync(join(folder, SEGMENT)).fill(0, offsets[6])
    writeFileSync(join(folder, SEGMENT), bytes)

    await using buffer = await openBuffer(folder)

    expect(await drain(buffer)).toEqual(NAMES.slice(0, 6))
    expect(await corruptBytes(buffer)).toBe(bytes.length - offsets[6])
    expect(await corruptFilesIn(folder)).toEqual([`${SEGMENT}.${offsets[6]}.corrupt`])
  })
})

describe('a damaged segment', () => {
  it('loses the record that was hit and no other, wherever a bit flips', { timeout: 60_000 }, async () => {
    const { folder, offsets } = await filled()
    const whole = readFileSync(join(folder, SEGMENT))
    const random = generator(7)
    for (let round = 0; round < 200; round++) {
      const copy = copyOf(folder)
      const bit = Math.floor(random() * whole.length * 8)
      const bytes = Buffer.from(whole)
      bytes[bit >> 3] ^= 1 << (bit & 7)
      writeFileSync(join(copy, SEGMENT), bytes)
      const hit = offsets.findLastIndex((offset) => offset <= bit >> 3)

      await using buffer = await openBuffer(copy)

      expect(await drain(buffer), `bit ${bit}`).toEqual(NAMES.filter((_, index) => index !== hit))
      expect(await corruptBytes(buffer), `bit ${bit}`).toBe(
        hit === -1 ? HEADER_BYTES : offsets[hit + 1] - offsets[hit],
      )
    }
  })

  it('keeps every whole record between many flipped bits', { timeout: 60_000 }, async () => {
    const { folder, offsets } = await filled({ compression: 'none' })
    const whole = readFileSync(join(folder, SEGMENT))
    const random = generator(11)
    for (let round = 0; round < 100; round++) {
      const copy = copyOf(folder)
      const bytes = Buffer.from(whole)
      const hit = new Set<number>()
      for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) {
        const at = HEADER_BYTES + Math.floor(random() * (whole.length - HEADER_BYTES))
        bytes[at] = whole[at] ^ (1 + Math.floor(random() * 255))
        hit.add(offsets.findLastIndex((offset) => offset <= at))
      }
      writeFileSync(join(copy, SEGMENT), bytes)

      await using buffer = await openBuffer(copy)
      await buffer.pushNamed('new')

      expect(await drain(buffer)).toEqual([...NAMES.filter((_, index) => !hit.has(index)), 'new'])
      expect(await corruptBytes(buffer)).toBeGreaterThan(0)
    }
  })

  it('is set aside once, not again at each start', async () => {
    const { folder, offsets } = await filled()
    const handle = await open(join(folder, SEGMENT), 'r+')
    await handle.write(Buffer.from([255, 255]), 0, 2, offsets[3] + RECORD_HEADER_BYTES)
    await handle.close()

    const losses: number[] = []
    for (let start = 0; start < 3; start++) {
      const buffer = await openBuffer(folder)
      losses.push(await corruptBytes(buffer))
      await buffer.stop()
    }

    expect(losses).toEqual([offsets[4] - offsets[3], 0, 0])
    expect(readFileSync(join(folder, `${SEGMENT}.${offsets[3]}.corrupt`)).length).toBe(
      offsets[4] - offsets[3],
    )
  })

  it('is passed over when it is an older one, and counted when it is read', async () => {
    const folder = newFolder()
    const settings = { segment_size: '4KiB', compression: 'none' }
    const before = await openBuffer(folder, settings)
    for (let i = 0; i < 12; i++) await before.push(batchOf(1, () => String(i).padEnd(1000, '.')))
    await before.stop()
    const [first] = await segmentsIn(folder)
    const bytes = readFileSync(join(folder, first))
    const middle = HEADER_BYTES + 8 + bytes.readUInt32LE(HEADER_BYTES)
    bytes[middle + 500] ^= 1
    writeFileSync(join(folder, first), bytes)

    await using after = await openBuffer(folder, settings)
    const bodies = await drain(after)

    expect(bodies.map((body) => Number.parseInt(body, 10))).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(await corruptBytes(after)).toBe(8 + bytes.readUInt32LE(middle))
    expect(await after.context.value('sluice_buffer_acked_log_records_total')).toBe(11)
  })
})

describe('a cursor', () => {
  it.each([0, 512])('that was damaged at byte %d costs redelivery, never a loss', async (at) => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b', 'c', 'd')
    for (const lease of await consume(before).take(2)) await lease.ack()
    await before.stop()
    const path = join(folder, 'cursor-logs%2Fdrain')
    const bytes = readFileSync(path)
    bytes[at + 20] ^= 1
    writeFileSync(path, bytes)

    await using after = await openBuffer(folder)
    const bodies = await drain(after)

    expect(['a', 'b', 'c', 'd'].slice(-bodies.length)).toEqual(bodies)
    expect(bodies.length).toBeGreaterThanOrEqual(2)
    expect(bodies.length).toBeLessThanOrEqual(3)
  })

  it('that is no longer readable begins again with the oldest that is there', async () => {
    const { folder } = await filled()
    writeFileSync(join(folder, 'cursor-logs%2Fdrain'), Buffer.alloc(1024))

    await using buffer = await openBuffer(folder)

    expect(await drain(buffer)).toEqual(NAMES)
  })
})

/** The same numbers below 1 in each run (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
