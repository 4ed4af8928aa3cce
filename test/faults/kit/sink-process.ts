import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { Child } from '../../servers/process.ts'
import { type Arrival, Documents } from './documents.ts'

const PROGRAM = fileURLToPath(new URL('../fixtures/sink.ts', import.meta.url))
const TIMEOUT = 30_000

/** A sink that can be frozen as a whole. */
export interface SinkProcess extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly documents: Documents
  /** Brings `documents` up to date. */
  refresh(): Promise<void>
}

export async function startSinkProcess(): Promise<SinkProcess> {
  const folder = await temporaryFolder('sink')
  const file = join(folder.path, 'arrivals')
  const child = new Child(process.execPath, [PROGRAM, file])
  const url = (await child.line(/^url /, TIMEOUT)).slice('url '.length)
  const documents = new Documents()
  let asked = 0
  let read = 0
  return {
    url,
    documents,
    pid: child.pid,
    async refresh() {
      child.signal('SIGUSR2')
      await child.line(new RegExp(`^written ${++asked}$`), TIMEOUT)
      const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
      for (const line of lines.slice(read)) if (line !== '') documents.create(JSON.parse(line) as Arrival)
      read = lines.at(-1) === '' ? 0 : lines.length
    },
    async [Symbol.asyncDispose]() {
      await child.kill()
      await folder.remove()
    },
  }
}
