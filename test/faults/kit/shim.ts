import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canInstall, installPackages } from '../../servers/apt.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { run, which } from '../../servers/process.ts'

const SOURCE = fileURLToPath(new URL('../shim/fsync-eio.c', import.meta.url))

/** A disk whose fsync fails with EIO, for the processes that run with `env`. */
export interface FsyncShim extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv
  /** From now on fsync and fdatasync fail, and take back what was written since the last one that did not. */
  on(): void
  off(): void
  /** How often it made one fail. */
  readonly failures: number
}

/** Compiles `test/faults/shim/fsync-eio.c`. */
export async function buildFsyncShim(): Promise<FsyncShim> {
  if (!which('cc') && canInstall())
    await installPackages(['gcc', 'libc6-dev'], () => which('cc') !== undefined)
  if (!which('cc')) throw new Error('a C compiler is needed: install one (`apt-get install gcc libc6-dev`)')
  const folder = await temporaryFolder('shim')
  const library = join(folder.path, 'fsync-eio.so')
  await run('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, SOURCE, '-ldl'])
  const flag = join(folder.path, 'on')
  const count = join(folder.path, 'failures')
  writeFileSync(count, '')
  return {
    env: { LD_PRELOAD: library, FSYNC_EIO_FLAG: flag, FSYNC_EIO_COUNT: count },
    on: () => writeFileSync(flag, ''),
    off: () => rmSync(flag, { force: true }),
    get failures() {
      return readFileSync(count).length
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}
