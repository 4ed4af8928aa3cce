import { mkdir, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isRoot } from './users.ts'

const HEARTBEAT = 2_000
const STALE = 15_000

/**
 * Where downloaded servers stay between runs: SLUICE_TEST_CACHE, or a place of the user's.
 * Servers started by root run as somebody else, who may not look into root's home.
 */
export async function cacheFolder(): Promise<string> {
  const personal = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = process.env.SLUICE_TEST_CACHE || join(isRoot() ? '/var/cache' : personal, 'sluice-test')
  await mkdir(folder, { recursive: true, mode: 0o755 })
  return folder
}

/**
 * Runs `work` while no other process of this machine runs work under the same name.
 * A holder that died stops touching its lock folder, and the next one takes over. What is
 * locked must survive two holders all the same: the lock saves time, it protects nothing.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = join(await cacheFolder(), `${name}.lock`)
  while (!(await acquire(lock))) await delay(200)
  const heartbeat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), HEARTBEAT)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    await rm(lock, { recursive: true, force: true })
  }
}

async function acquire(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const held = await stat(lock).catch(() => undefined)
  if (held && Date.now() - held.mtimeMs > STALE) await rm(lock, { recursive: true, force: true })
  return false
}
