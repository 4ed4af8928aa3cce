import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Position } from '../../../connectors/disk/position.ts'
import { type Place, Removed } from '../../../connectors/disk/removed.ts'
import { newFolder } from './harness.ts'

const at = (elements: number): Position => ({ elements, records: elements * 10, bytes: elements * 100 })
const place = (number: number): Place => ({ position: at(number), end: at(number + 1) })

async function reopened(removed: Removed, folder: string): Promise<Removed> {
  await removed.close()
  return Removed.open(folder)
}

describe('the list of what is removed from a log', () => {
  it('is as it was after a restart', async () => {
    const folder = newFolder()
    let removed = await Removed.open(folder)
    await Promise.all([3, 7, 5].map((number) => removed.add(place(number))))

    removed = await reopened(removed, folder)

    expect([3, 4, 5, 7].map((number) => removed.has(number))).toEqual([true, false, true, true])
    expect(removed.since(at(0))).toEqual({ elements: 3, records: 30, bytes: 300 })
    expect(removed.since(at(5))).toEqual({ elements: 2, records: 20, bytes: 200 })
    expect(removed.end).toEqual(at(8))
    await removed.close()
  })

  it.each([1, 20, 51])(
    'passes over an entry that a crash has cut to %d bytes, and goes on behind it',
    async (left) => {
      const folder = newFolder()
      let removed = await Removed.open(folder)
      await removed.add(place(1))
      const { size } = await stat(join(folder, 'removed'))
      await removed.add(place(2))
      await removed.close()
      await truncate(join(folder, 'removed'), size + left)

      removed = await Removed.open(folder)
      await removed.add(place(3))
      removed = await reopened(removed, folder)

      expect([1, 2, 3].map((number) => removed.has(number))).toEqual([true, false, true])
      await removed.close()
    },
  )

  it('does not grow for ever, and never forgets which numbers were used', async () => {
    const folder = newFolder()
    let removed = await Removed.open(folder)
    for (let number = 0; number < 1_001; number++) await removed.add(place(number))
    const before = (await stat(join(folder, 'removed'))).size

    const forgotten = removed.forget(at(1_000))
    const added = removed.add(place(1_005))
    await Promise.all([forgotten, added])
    const after = (await stat(join(folder, 'removed'))).size
    removed = await reopened(removed, folder)

    expect(after).toBeLessThan(before / 100)
    expect([999, 1_000, 1_005].map((number) => removed.has(number))).toEqual([false, true, true])
    await removed.forget(at(2_000))
    removed = await reopened(removed, folder)
    expect(removed.end).toEqual(at(1_006))
    await removed.close()
  })
})
