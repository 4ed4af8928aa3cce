import { lstatSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newFolder, openBuffer } from './harness.ts'
import { startWriter } from './writer.ts'

const isLocked = (folder: string): boolean =>
  lstatSync(join(folder, 'lock'), { throwIfNoEntry: false }) !== undefined

describe('the folder of a buffer', () => {
  it('is refused to a second process, which is told the first', async () => {
    const folder = newFolder()
    const writer = await startWriter(folder, 'first')

    await expect(openBuffer(folder)).rejects.toThrow(
      `${folder} is in use by process ${writer.pid}: a buffer on disk belongs to one, give each a directory of its own`,
    )

    await writer.kill()
    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('second')
  })

  it('is refused to another connector of the same process', async () => {
    const folder = newFolder()
    await using first = await openBuffer(folder)

    await expect(openBuffer(folder)).rejects.toThrow(
      `${folder} is in use by another component of this process`,
    )
    await first.pushNamed('a')
  })

  it.each([
    ['a process that is gone', '4194305@1'],
    ['a process whose id another has now', `${process.ppid}@1`],
    ['a former container, with our own id', `${process.pid}@1`],
  ])('is free when its lock is that of %s', async (_, lock) => {
    const folder = newFolder()
    symlinkSync(lock, join(folder, 'lock'))

    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('a')
  })

  it('is free again after a stop', async () => {
    const folder = newFolder()
    await (await openBuffer(folder)).stop()

    expect(isLocked(folder)).toBe(false)
    await using again = await openBuffer(folder)
    await again.pushNamed('a')
  })

  it('is free again after a start that went wrong', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'identity.key'), 'short')

    await expect(openBuffer(folder)).rejects.toThrow('identity.key has 5 bytes, not 32')
    expect(isLocked(folder)).toBe(false)
  })

  it('is made when it is not there, with all above it', async () => {
    const folder = join(newFolder(), 'some/where')

    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('a')
  })
})
