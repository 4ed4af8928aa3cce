import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { atExit, temporaryFolder } from '../../servers/at-exit.ts'
import { isRoot } from '../../servers/users.ts'

/** A disk of a few megabytes. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string
  /** Takes the room that is left, as another program does. */
  fill(): void
  /** Gives back what `fill` took. */
  clear(): void
  /** Changes its size, megabytes. */
  resize(megabytes: number): void
  free(): Promise<number>
}

/** Mounts a tmpfs, which only root may; unmounted at the end, however that comes. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  if (!isRoot()) throw new Error('only root may mount a small disk: run this test as root')
  const folder = await temporaryFolder('disk')
  const { path } = folder
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  const unmount = (): void => void execFileSync('umount', ['-l', path])
  const forget = atExit(unmount)
  const other = join(path, 'other')
  return {
    path,
    fill() {
      const chunk = Buffer.alloc(64 * 1024)
      try {
        for (;;) writeFileSync(other, chunk, { flag: 'a' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    clear: () => rmSync(other, { force: true }),
    resize: (size) => void execFileSync('mount', ['-o', `remount,size=${size}m`, path]),
    async free() {
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    },
    async [Symbol.asyncDispose]() {
      forget()
      unmount()
      await folder.remove()
    },
  }
}
