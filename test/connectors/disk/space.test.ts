import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DiskConfig } from '../../../connectors/disk/config.ts'
import {
  batchOf,
  consume,
  drain,
  eventually,
  newFolder,
  noise,
  type OpenBuffer,
  openBuffer,
  refusal,
  segmentsIn,
} from './harness.ts'

const MIB = 2 ** 20

/** Pushes until a push is refused; returns the reason and the bodies that were taken. */
async function fill(buffer: OpenBuffer, bytes: number): Promise<{ reason: string; taken: string[] }> {
  const taken: string[] = []
  for (;;) {
    const body = noise(bytes)
    const error = await buffer.push(batchOf(1, () => body)).then(
      () => undefined,
      (reason: unknown) => refusal(Promise.reject(reason as Error)),
    )
    if (error) return { reason: error.reason, taken }
    taken.push(body)
  }
}

describe('a full buffer', () => {
  it('refuses with the reason, never holds more than max_bytes, and takes again after deliveries', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder, { max_bytes: '1MiB' })
    const value = (name: string, labels = {}): Promise<number> => buffer.context.value(name, labels)

    const first = await fill(buffer, 50_000)
    expect(first.reason).toBe('full')
    expect(await value('sluice_disk_used_bytes')).toBeLessThanOrEqual(MIB)
    expect(await value('sluice_disk_used_bytes')).toBeGreaterThan(0.7 * MIB)
    expect(await value('sluice_buffer_watermark_state')).toBe(2)
    expect(await value('sluice_buffer_refused_log_records_total', { reason: 'full' })).toBe(1)
    expect(buffer.context.states.at(-1)).toMatchObject({ state: 'degraded' })

    expect(await drain(buffer)).toEqual(first.taken)
    const second = await fill(buffer, 50_000)

    expect(second.taken.length).toBeGreaterThan(10)
    expect(await drain(buffer)).toEqual(second.taken)
    await buffer.push(batchOf(1))
    expect(await value('sluice_buffer_watermark_state')).toBe(0)
    expect(buffer.context.states.at(-1)).toMatchObject({ state: 'ok' })
  })

  it('takes again as soon as a part is delivered', async () => {
    await using buffer = await openBuffer(newFolder(), { max_bytes: '1MiB' })
    const { taken } = await fill(buffer, 50_000)

    for (const lease of await consume(buffer).take(Math.ceil(taken.length / 2))) await lease.ack()

    await buffer.push(batchOf(1, () => noise(50_000)))
  })

  it('takes a batch larger than max_bytes when it is empty', async () => {
    await using buffer = await openBuffer(newFolder(), { max_bytes: '10KiB' })

    await buffer.push(batchOf(1, () => noise(50_000)))

    expect((await refusal(buffer.push(batchOf(1)))).reason).toBe('full')
    await drain(buffer)
    await buffer.push(batchOf(1))
  })

  it('refuses what is on its way beyond max_pending', async () => {
    await using buffer = await openBuffer(newFolder(), { max_pending: '100KiB' })

    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => buffer.push(batchOf(1, () => noise(50_000)))),
    )

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ])
    expect(await buffer.context.value('sluice_buffer_refused_log_records_total', { reason: 'busy' })).toBe(3)
  })
})

describe('a disk with little room', () => {
  it('is one of which less than a tenth is free, where nothing is set', () => {
    expect(DiskConfig.parse({ directory: '/x' }).min_free).toEqual({ ratio: 0.1 })
  })

  it.each(['100%', 'all'])('is left alone below min_free (%s)', async (unit) => {
    const folder = newFolder()
    const { bavail, bsize } = await statfs(folder)
    const min_free = unit === 'all' ? bavail * bsize * 2 : '99.999%'
    await using buffer = await openBuffer(folder, { min_free })

    expect((await refusal(buffer.push(batchOf(1)))).reason).toBe('disk_full')

    expect(buffer.context.states.at(-1)?.detail).toMatch(
      /^the disk of .* has [\d.]+ MiB free, and min_free keeps/,
    )
    expect(await segmentsIn(folder)).toEqual([])
  })
})

function fillUp(folder: string): void {
  execFileSync('sh', ['-c', `cat /dev/zero > ${folder}/other 2>/dev/null || true`])
}

/** Where nobody may mount, the tests of `min_free` above have to do. */
const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0
describe.each(mayMount ? [8] : [])('a disk of %d MB', { timeout: 30_000 }, (size) => {
  function smallDisk(): string {
    const folder = join(newFolder(), 'small')
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', folder])
    onTestFinished(() => void execFileSync('umount', ['-l', folder]))
    return folder
  }

  it('that others fill to nine tenths is left alone before ENOSPC, and used again by itself', async () => {
    const folder = smallDisk()
    await using buffer = await openBuffer(folder, { min_free: '10%' })
    await buffer.pushNamed('before')
    execFileSync('sh', ['-c', `head -c ${7_600_000} /dev/zero > ${folder}/other`])
    const isShort = async (): Promise<boolean> =>
      (await buffer.context.value('sluice_buffer_watermark_state')) === 2
    await eventually(isShort)

    const refused = await refusal(buffer.push(batchOf(1)))
    execFileSync('rm', [`${folder}/other`])
    await eventually(async () => !(await isShort()))
    await buffer.pushNamed('after')

    expect(refused.reason).toBe('disk_full')
    expect(refused.message).toMatch(/min_free keeps 0\.8 MiB for others$/)
    expect(buffer.context.states.map(({ state }) => state)).toEqual(['starting', 'ok', 'degraded', 'ok'])
    expect(await drain(buffer)).toEqual(['before', 'after'])
  })

  it('is never filled below min_free, loses nothing, and is used again after deliveries', async () => {
    const folder = smallDisk()
    await using buffer = await openBuffer(folder, { min_free: '2MiB' })
    for (let round = 0; round < 2; round++) {
      const { reason, taken } = await fill(buffer, 100_000)

      expect(reason).toBe('disk_full')
      expect(taken.length).toBeGreaterThan(40)
      expect((await statfs(folder)).bavail * (await statfs(folder)).bsize).toBeGreaterThanOrEqual(2 * MIB)
      expect(await drain(buffer)).toEqual(taken)
      await eventually(async () => (await buffer.context.value('sluice_buffer_watermark_state')) === 0)
    }
  })

  it('that somebody else fills rejects what has no room, and is used again when there is some', async () => {
    // No look at the disk comes between what happens to it and the push.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const folder = smallDisk()
    await using buffer = await openBuffer(folder, { compression: 'none' })
    await buffer.pushNamed('before')
    fillUp(folder)

    const refused = await refusal(buffer.push(batchOf(1, () => noise(50_000))))
    execFileSync('rm', [`${folder}/other`])
    await buffer.pushNamed('after')

    expect(refused.reason).toBe('disk')
    expect(refused.message).toBe(`${folder} could not be written (ENOSPC)`)
    expect(await drain(buffer)).toEqual(['before', 'after'])
  })

  it('that is full is started on, and emptied', async () => {
    const folder = smallDisk()
    const before = await openBuffer(folder, { min_free: '1MiB' })
    const { taken } = await fill(before, 100_000)
    await before.stop()
    fillUp(folder)

    await using after = await openBuffer(folder, { min_free: '1MiB' })

    expect(await drain(after)).toEqual(taken)
    expect((await refusal(after.push(batchOf(1)))).reason).toBe('disk_full')
    execFileSync('rm', [`${folder}/other`])
    await eventually(async () => (await after.context.value('sluice_buffer_watermark_state')) === 0)
    await after.push(batchOf(1))
  })
})
