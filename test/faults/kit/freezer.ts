import { setTimeout as delay } from 'node:timers/promises'

/**
 * Freezes a process for `ms` milliseconds: its connections stay open, and nothing is answered. It runs again in any case.
 */
export async function freeze(pid: number, ms: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await delay(ms)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
