import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after a while, or at once when `signal` aborts. Does not keep the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ref: false, signal }).catch(() => {})
}
