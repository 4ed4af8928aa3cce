import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { temporaryFolder } from '../servers/at-exit.ts'
import { freePort } from '../servers/ports.ts'
import { Child } from '../servers/process.ts'
import { MAIN } from '../servers/runtime.ts'
import { type Sluice, startSluice } from './sluice.ts'

/** A collector that buffers on the disk and writes files. */
export interface FilePath extends AsyncDisposable {
  readonly sluice: Sluice
  readonly http: number
  readonly grpc: number
  /** The folder of the files. */
  readonly directory: string
}

/** Starts one; `exporter` are the settings of the file exporter besides its folder, in YAML. */
export async function startFilePath(exporter: string, files?: string): Promise<FilePath> {
  await using started = new AsyncDisposableStack()
  const folder = await temporaryFolder('files')
  started.defer(() => folder.remove())
  const directory = files ?? join(folder.path, 'files')
  const [http, grpc] = [await freePort(), await freePort()]
  const config = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" }, grpc: { endpoint: "127.0.0.1:${grpc}" } } }
connectors:
  disk: { directory: "${join(folder.path, 'buffer')}", min_free: "0" }
exporters:
  file: { directory: "${directory}", ${exporter}, retry_on_failure: { initial_interval: 50ms, max_interval: 200ms }, sending_queue: { batch: { max_size: 64KiB } } }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [disk] }
    logs/drain: { receivers: [disk], exporters: [file] }
`
  const sluice = started.use(await startSluice({ config }))
  const all = started.move()
  return { sluice, http, grpc, directory, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** The paths of all files below a folder, sorted; hidden ones are none. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** The whole lines of files, unpacked. */
export async function linesIn(files: readonly string[]): Promise<string[]> {
  const contents = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file)
      if (file.endsWith('.gz')) return gunzipSync(bytes).toString()
      return (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString()
    }),
  )
  return contents.flatMap((content) => content.split('\n').slice(0, -1))
}

/** The running numbers of the records in documents, sorted. */
export function sequenceOf(documents: readonly string[]): number[] {
  return documents
    .map((line) => (JSON.parse(line) as { attributes: { seq: number } }).attributes.seq)
    .sort((a, b) => a - b)
}

/** Runs `sluice replay` in a process of its own. */
export function startReplay(http: number, files: readonly string[]): Child {
  return new Child(process.execPath, [MAIN, 'replay', '--endpoint', `http://127.0.0.1:${http}`, ...files])
}
