import { readFileSync, readlinkSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { threadId } from 'node:worker_threads'

/**
 * Says in a folder whose it is: `owner.json` holds where its process runs, and its time is a sign of life. Node has no
 * file locks.
 */
const FILE = 'owner.json'
/** Milliseconds between two signs of life. */
export const BEAT_MILLIS = 10_000
/** A process that cannot be looked at, since it runs elsewhere, is dead after this long without one. */
const SILENT_MILLIS = 6 * BEAT_MILLIS
/** A process that runs and gives none has lost the thread that gave them. */
const FORSAKEN_MILLIS = 60 * BEAT_MILLIS

interface Owner {
  /** 0: nobody's any more. */
  readonly pid: number
  /** When the process began, in the system's own count; tells it from a later one of the same number. */
  readonly started: string
  /** Where the numbers of processes mean the same. */
  readonly place: string
}

const self: Owner = { pid: process.pid, started: startOf(process.pid), place: placeOf() }

/** Tells the folders of one process apart: a thread may have several. */
export function folderName(random: string): string {
  return `${process.pid}-${threadId}-${random}`
}

/** Marks a folder as this process's. */
export function claim(folder: string): void {
  writeFileSync(join(folder, FILE), JSON.stringify(self), { mode: 0o600 })
}

/** @throws Error when the folder was taken over by another process */
export function beat(folder: string): void {
  const now = new Date()
  utimesSync(join(folder, FILE), now, now)
}

/** Leaves a folder to whoever comes. */
export function disown(folder: string): void {
  writeFileSync(join(folder, FILE), JSON.stringify({ ...self, pid: 0 }), { mode: 0o600 })
}

export function unclaim(folder: string): void {
  unlinkSync(join(folder, FILE))
}

/** Whether nobody will come back for a folder. */
export function isAbandoned(folder: string): boolean {
  const owner = readOwner(folder)
  if (owner === undefined) return silence(folder) > SILENT_MILLIS
  if (owner.pid === 0) return true
  const silent = silence(join(folder, FILE))
  if (owner.place !== self.place) return silent > SILENT_MILLIS
  if (!runs(owner.pid) || owner.started !== startOf(owner.pid)) return true
  return silent > (owner.started === '' ? SILENT_MILLIS : FORSAKEN_MILLIS)
}

function readOwner(folder: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Partial<Owner>
    const { pid, started, place } = owner
    return typeof pid === 'number' && typeof started === 'string' && typeof place === 'string'
      ? { pid, started, place }
      : undefined
  } catch {
    return undefined
  }
}

/** Milliseconds since a path was written or touched; 0 where it is gone. */
function silence(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Linux's count since it booted; empty elsewhere, and for a process that is not there. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the program, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** The machine since it booted, and the container. */
function placeOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
