import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export interface User {
  readonly uid: number
  readonly gid: number
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Whom a server that refuses to run as root runs as; undefined when it may run as we do. */
export function unprivilegedUser(): User | undefined {
  if (!isRoot()) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = (line ?? '').split(':').map(Number)
  return uid && gid ? { uid, gid } : { uid: 65534, gid: 65534 }
}

/** Whether every user may walk to this path. */
export function reachableByAll(path: string): boolean {
  try {
    for (let place = realpathSync(path); place !== '/'; place = dirname(place)) {
      if ((statSync(place).mode & 0o001) === 0) return false
    }
    return true
  } catch {
    return false
  }
}
