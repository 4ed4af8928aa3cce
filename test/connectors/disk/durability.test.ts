import { type FileHandle, open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  batchOf,
  consume,
  drain,
  named,
  namesOf,
  newFolder,
  noise,
  openBuffer,
  refusal,
  segmentsIn,
} from './harness.ts'

/** What all file handles inherit from: Node does not export it. */
let prototype: FileHandle
beforeEach(async () => {
  await using handle = await open(devNull)
  prototype = Object.getPrototypeOf(handle) as FileHandle
})
afterEach(() => {
  vi.restoreAllMocks()
})

function originalOf<Name extends 'datasync' | 'writev'>(name: Name): FileHandle[Name] {
  return Reflect.get(prototype, name) as FileHandle[Name]
}

/** Fails some calls of fdatasync, counted from 1, and returns the files that were to be synced. */
function watchSyncs(fails: (attempt: number) => boolean): FileHandle[] {
  const handles: FileHandle[] = []
  const original = originalOf('datasync')
  vi.spyOn(prototype, 'datasync').mockImplementation(function (this: FileHandle) {
    handles.push(this)
    return fails(handles.length) ? Promise.reject(ioError()) : original.call(this)
  })
  return handles
}

function ioError(): Error {
  return Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
}

describe('a push', () => {
  it('is answered only after fdatasync', async () => {
    await using buffer = await openBuffer(newFolder())
    const original = originalOf('datasync')
    const order: string[] = []
    vi.spyOn(prototype, 'datasync').mockImplementation(async function (this: FileHandle) {
      await original.call(this)
      order.push('synced')
    })

    await buffer.pushNamed('a')
    order.push('answered')

    expect(order).toEqual(['synced', 'answered'])
  })

  it('shares its fdatasync with all that came while the last one ran', async () => {
    await using buffer = await openBuffer(newFolder(), { element_size: '1KiB' })
    const synced = vi.spyOn(prototype, 'datasync')

    await Promise.all(
      Array.from({ length: 500 }, (_, i) => buffer.push(batchOf(1, () => `${i}`.padEnd(1000, '.')))),
    )

    expect(await buffer.context.value('sluice_buffer_elements')).toBe(500)
    expect(synced.mock.calls.length).toBeLessThan(10)
  })

  it('syncs the folder of a new segment before it is answered', async () => {
    await using buffer = await openBuffer(newFolder(), { segment_size: '4KiB', compression: 'none' })
    const synced = vi.spyOn(prototype, 'sync')

    for (let i = 0; i < 12; i++) await buffer.push(batchOf(1, () => noise(1000)))

    expect(synced.mock.calls.length).toBeGreaterThanOrEqual(3)
  })
})

describe('a failed fdatasync', () => {
  it('leaves the segment alone, and what it was for is written to a new one before it is answered', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('a', 'b')
    const handles = watchSyncs((attempt) => attempt === 1)

    await buffer.pushNamed('c', 'd')

    expect(handles.length).toBe(3)
    expect(handles[0]).not.toBe(handles[1])
    expect(handles[2]).toBe(handles[1])
    expect(await segmentsIn(folder)).toEqual(['0000000000000000.seg', '0000000000000002.seg'])
    expect(await buffer.context.value('sluice_disk_fenced_segments_total')).toBe(1)
    expect(await drain(buffer)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('rejects what it was for when that fails too, and nobody syncs either segment again', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('a', 'b')
    const handles = watchSyncs((attempt) => attempt <= 2)

    const refused = await refusal(buffer.push(named('c')))
    await buffer.pushNamed('d')

    expect(refused.reason).toBe('disk')
    expect(refused.message).toBe(`${folder} could not be written (EIO)`)
    expect(new Set(handles).size).toBe(3)
    expect(await segmentsIn(folder)).toEqual(['0000000000000000.seg', '0000000000000002.seg'])
    expect(buffer.context.states.map(({ state }) => state)).toEqual(['starting', 'ok', 'degraded', 'ok'])
    expect(await buffer.context.value('sluice_buffer_refused_log_records_total', { reason: 'disk' })).toBe(1)
    expect(await drain(buffer)).toEqual(['a', 'b', 'd'])
  })

  it('of a new segment leaves none behind', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder)
    const synced = vi.spyOn(prototype, 'datasync').mockRejectedValue(ioError())
    for (let i = 0; i < 3; i++) await refusal(buffer.push(named('lost')))

    synced.mockRestore()
    await buffer.pushNamed('kept')

    expect(await segmentsIn(folder)).toEqual(['0000000000000000.seg'])
    expect(await drain(buffer)).toEqual(['kept'])
  })

  it('does not bring back after a restart what it rejected, even where the file could not be cut', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a')
    vi.spyOn(prototype, 'truncate').mockRejectedValue(ioError())
    vi.spyOn(prototype, 'datasync').mockRejectedValueOnce(ioError()).mockRejectedValueOnce(ioError())
    await refusal(before.push(named('rejected')))
    vi.restoreAllMocks()
    await before.pushNamed('b')
    await before.stop()

    await using after = await openBuffer(folder)

    expect(namesOf(await consume(after).take(2))).toEqual(['a', 'b'])
  })
})

describe('a failed write', () => {
  it('goes on in a new segment', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('a')
    vi.spyOn(prototype, 'writev').mockRejectedValueOnce(ioError())

    await buffer.pushNamed('b', 'c')

    expect(await segmentsIn(folder)).toEqual(['0000000000000000.seg', '0000000000000001.seg'])
    expect(await drain(buffer)).toEqual(['a', 'b', 'c'])
  })

  it('of a part is gone on with', async () => {
    await using buffer = await openBuffer(newFolder())
    const original = originalOf('writev')
    vi.spyOn(prototype, 'writev').mockImplementation(function (this: FileHandle, buffers, position) {
      const [first] = buffers as Buffer[]
      return original.call(this, [first.subarray(0, Math.ceil(first.length / 2))], position) as never
    })

    await buffer.pushNamed('a', 'b')

    expect(await drain(buffer)).toEqual(['a', 'b'])
  })
})
