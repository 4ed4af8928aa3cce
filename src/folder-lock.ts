import { readFileSync } from 'node:fs'
import { readlink, rename, rm, symlink } from 'node:fs/promises'
import { errorCode } from './files.ts'

export interface FolderLockOptions {
  /** Where the lock stands, in the folder. */
  readonly path: string
  readonly directory: string
  /** Why the folder has one owner, and what to do: `a buffer on disk belongs to one, give each …` */
  readonly advice: string
}

/** A process, and when it started where the system tells: process ids are used again. */
interface Holder {
  readonly pid: number
  readonly started: string
}

/**
 * Keeps other processes out of a folder, by a symbolic link to the name of the one inside: it is there with its
 * content or not at all, and a full disk has room for it. The lock of a process that is gone does not count, nor does one with our
 * own id that a former container left. Processes in different containers do not see each other: they need a
 * folder each.
 */
export class FolderLock {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Throws when another process has the folder, or another component of this one. */
  static async take(options: FolderLockOptions): Promise<FolderLock> {
    const { path } = options
    for (;;) {
      try {
        await symlink(`${process.pid}@${startTime(process.pid)}`, path)
        return new FolderLock(path)
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error
      }
      const found = await readlink(path).catch((error: unknown) => {
        if (errorCode(error) === 'ENOENT') return undefined
        throw new Error(`${path} is not a lock: choose another directory, or delete it`, {
          cause: error,
        })
      })
      if (found === undefined) continue
      const holder = parse(found)
      if (isAlive(holder)) throw new Error(inUse(options, holder.pid))
      await removeStale(found, options)
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true })
  }
}

/** Moves it away first: two processes that find the same stale lock must not remove each other's new one. */
async function removeStale(stale: string, options: FolderLockOptions): Promise<void> {
  const { path } = options
  const aside = `${path}.stale-${process.pid}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw error
  }
  const moved = await readlink(aside)
  if (moved !== stale) {
    await rename(aside, path)
    throw new Error(inUse(options, parse(moved).pid))
  }
  await rm(aside)
}

function parse(link: string): Holder {
  const [pid = '', started = ''] = link.split('@')
  return { pid: Number(pid), started }
}

function isAlive({ pid, started }: Holder): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
  }
  const now = startTime(pid)
  return now === '' ? pid !== process.pid : started === '' || started === now
}

/** In clock ticks since the machine started (proc(5), field 22), or nothing where there is no such file. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return ''
  }
}

function inUse({ directory, advice }: FolderLockOptions, pid: number): string {
  const who = pid === process.pid ? 'another component of this process' : `process ${pid}`
  return `${directory} is in use by ${who}: ${advice}`
}
