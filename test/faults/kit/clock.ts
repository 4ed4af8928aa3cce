import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { buildShim } from './shim.ts'

/** A clock of their own for the processes that run with `env`. */
export interface Clock extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv
  /** Puts it this many seconds before or after the true time, at once. */
  jump(seconds: number): void
}

/** With `monotonic` the clocks jump as well that timers go by, as on a machine that wakes up. */
export async function makeClock(monotonic: boolean): Promise<Clock> {
  const shim = await buildShim('clock.c')
  const file = join(shim.folder, 'offset')
  const fd = openSync(file, 'w+')
  const jump = (seconds: number): void => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(seconds))
    writeSync(fd, bytes, 0, bytes.length, 0)
  }
  jump(0)
  return {
    env: {
      LD_PRELOAD: shim.library,
      CLOCK_OFFSET: file,
      ...(monotonic && { CLOCK_MONOTONIC_TOO: '1' }),
    },
    jump,
    async [Symbol.asyncDispose]() {
      closeSync(fd)
      await shim[Symbol.asyncDispose]()
    },
  }
}
