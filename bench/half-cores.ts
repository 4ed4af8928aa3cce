/** Short enough that nobody waits for long, and long enough for some requests. */
const SLOT_MS = 20

/**
 * Holds processes to half a core each while `work` goes on, wherever it runs, once `ready` resolves: they are frozen half
 * of the time, one half of them in turn with the other.
 */
export async function withHalfCores<T>(
  pids: readonly number[],
  work: () => Promise<T>,
  ready: () => Promise<unknown>,
): Promise<T> {
  let slot = 0
  const turn = (): void => {
    slot ^= 1
    for (const [at, pid] of pids.entries()) process.kill(pid, (at & 1) === slot ? 'SIGCONT' : 'SIGSTOP')
  }
  let timer: NodeJS.Timeout | undefined
  try {
    const working = work()
    await Promise.race([working, ready()])
    timer = setInterval(turn, SLOT_MS)
    return await working
  } finally {
    clearInterval(timer)
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
}
