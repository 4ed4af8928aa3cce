import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, newFolder } from './harness.ts'

/** Where other work runs at the same time, a process takes long to start. */
const START_MS = 60_000

export interface Writer {
  readonly pid: number | undefined
  /** All lines it has written; see `fixtures/writer.ts`. */
  said(): string
  /** Resolves once it is gone. */
  kill(): Promise<void>
}

/** Starts a process that fills a buffer, and resolves when its first push is acknowledged. */
export async function startWriter(folder: string, prefix: string, drains = false): Promise<Writer> {
  const path = join(newFolder(), 'said')
  // A file, since a pipe that nobody empties in time makes the writer fail.
  const file = openSync(path, 'a')
  const script = join(import.meta.dirname, 'fixtures/writer.ts')
  const child = spawn(process.execPath, [script, folder, prefix, drains ? 'drain' : ''], {
    stdio: ['ignore', file, 'inherit'],
  })
  closeSync(file)
  const exited = once(child, 'exit')
  const said = (): string => readFileSync(path, 'utf8')
  await eventually(() => said().includes('pushed') || child.exitCode !== null, START_MS)
  return {
    pid: child.pid,
    said,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
