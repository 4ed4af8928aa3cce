import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from '../../servers/apt.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'

const PLACES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

/** A clock of its own for the processes that run with `env`. */
export interface Clock extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv
  /** Puts it this many seconds before or after the true time, at once. */
  jump(seconds: number): void
}

/** With `monotonic` the monotonic clock, which timers go by, jumps as well, as no real one does. */
export async function makeClock(monotonic: boolean): Promise<Clock> {
  const folder = await temporaryFolder('clock')
  const file = join(folder.path, 'time')
  const jump = (seconds: number): void => {
    // In one step: whoever reads a half written file takes it for no jump.
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    renameSync(`${file}.new`, file)
  }
  jump(0)
  return {
    env: {
      LD_PRELOAD: await library(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // Its shared memory has one name for a process and all its children.
      FAKETIME_DISABLE_SHM: '1',
      ...(!monotonic && { FAKETIME_DONT_FAKE_MONOTONIC: '1' }),
    },
    jump,
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

/** libfaketime for programs of several threads. */
async function library(): Promise<string> {
  const find = (): string | undefined =>
    PLACES.map((place) => join(place, 'faketime/libfaketimeMT.so.1')).find(existsSync)
  if (find() === undefined) await installPackages(['libfaketime'], () => find() !== undefined)
  const found = find()
  if (found) return found
  throw new Error('libfaketime is needed: install it (`apt-get install libfaketime`)')
}
