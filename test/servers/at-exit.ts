import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const cleanups = new Set<() => void>()

/** Runs `cleanup` when this process exits without having called the returned function. It must be synchronous. */
export function atExit(cleanup: () => void): () => void {
  if (cleanups.size === 0) process.once('exit', runAll)
  cleanups.add(cleanup)
  return () => {
    cleanups.delete(cleanup)
    if (cleanups.size === 0) process.removeListener('exit', runAll)
  }
}

export interface TemporaryFolder {
  readonly path: string
  remove(): Promise<void>
}

/** A folder of this process alone, gone at its exit at the latest. */
export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `sluice-${name}-`))
  const options = { recursive: true, force: true, maxRetries: 3 }
  const forget = atExit(() => rmSync(path, options))
  return {
    path,
    async remove() {
      forget()
      await rm(path, options)
    },
  }
}

function runAll(): void {
  for (const cleanup of cleanups) cleanup()
}
