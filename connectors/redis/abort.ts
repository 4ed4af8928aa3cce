import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when the promise settles, however it does, or at once when `signal` aborts. */
export function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    // Not Promise.race with a promise of the signal: that one would keep something of every race until it settles.
    const finish = (): void => {
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
    promise.then(finish, finish)
  })
}

/** Resolves after a while, or at once when `signal` aborts. Does not keep the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ref: false, signal }).catch(() => {})
}
