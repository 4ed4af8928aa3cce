import { readFileSync } from 'node:fs'

/** What a gateway may take at most, with whatever comes at it: bytes. */
export const RSS_LIMIT = 256 * 2 ** 20
/** The same for a drain, which has four requests of several megabytes in memory while it catches up. */
export const DRAIN_RSS_LIMIT = 320 * 2 ** 20

/** Resident memory of a process, bytes; 0 where it does not run. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Looks at processes ten times a second. `pids` is asked each time: a process that starts again has another. */
export function watchMemory(pids: () => readonly number[]): Disposable & { readonly highest: number } {
  let highest = 0
  const look = (): void => {
    highest = Math.max(highest, ...pids().map(residentBytes))
  }
  const timer = setInterval(look, 100)
  return {
    get highest() {
      return highest
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
