import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildShim } from './shim.ts'

/** A disk whose fsync can be made to fail with EIO, for the processes that run with `env`. */
export interface FailingFsync extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv
  /** From now on fsync and fdatasync fail, and what was written since the last one that did not is lost. */
  on(): void
  off(): void
  /** How often one failed. */
  readonly failures: number
}

export async function makeFailingFsync(): Promise<FailingFsync> {
  const shim = await buildShim('fsync-eio.c')
  const flag = join(shim.folder, 'on')
  const count = join(shim.folder, 'failures')
  writeFileSync(count, '')
  return {
    env: { LD_PRELOAD: shim.library, FSYNC_EIO_FLAG: flag, FSYNC_EIO_COUNT: count },
    on: () => writeFileSync(flag, ''),
    off: () => rmSync(flag, { force: true }),
    get failures() {
      return readFileSync(count).length
    },
    [Symbol.asyncDispose]: () => shim[Symbol.asyncDispose](),
  }
}
