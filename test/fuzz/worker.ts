import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { readCorpus, writeCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Fuzzer, type Progress } from './fuzzer.ts'
import { minimized } from './minimize.ts'
import { TARGETS, type TargetName } from './targets.ts'

/** What a worker is told. */
export interface Work {
  readonly target: TargetName
  readonly seed: number
  readonly minutes: number
  readonly withCoverage: boolean
  /** Where findings are kept. */
  readonly folder: string
  /** How many inputs were begun, the length of this one, and its bytes. */
  readonly watch: SharedArrayBuffer
}

export interface Report extends Progress {
  readonly defects: number
  /** Of the process, bytes. */
  readonly rss: number
  readonly done: boolean
}

const REPORT_MS = 10_000
const SOURCES = /\/(src\/logs|processors)\//
const HEADER_INTEGERS = 2

const { target: name, seed, minutes, withCoverage, folder, watch }: Work = workerData as Work
const target = TARGETS[name]
const header = new Int32Array(watch, 0, HEADER_INTEGERS)
const current = Buffer.from(watch, header.byteLength)
const known = new Set<string>()

function show(input: Buffer): void {
  header[1] = input.copy(current)
  Atomics.add(header, 0, 1)
}

/** Keeps the first input of each kind of defect, as short as it can be made. */
function keep(input: Buffer, error: Error): void {
  const kind = kindOf(error)
  if (known.has(kind)) return
  known.add(kind)
  const isSame = (shorter: Buffer): boolean => {
    show(shorter)
    try {
      target.run(shorter)
      return false
    } catch (other) {
      return other instanceof Error && kindOf(other) === kind
    }
  }
  const shortest = kind.startsWith('Error: takes') ? input : minimized(input, isSame)
  const file = join(folder, `${name}-${createHash('sha256').update(kind).digest('hex').slice(0, 12)}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${file}.bin`, shortest)
  writeFileSync(`${file}.txt`, `${error.stack}\n`)
  console.log(`DEFECT ${kind}\n  ${file}.bin (${shortest.length} bytes)`)
}

/** What went wrong and where, whatever the input holds. */
function kindOf(error: Error): string {
  const place = /\/((?:src|processors|test)\/\S+)\)?$/m.exec(error.stack ?? '')?.[1] ?? ''
  return `${error.name}: ${error.message.replace(/\d+/g, 'N')} at ${place}`
}

const coverage = withCoverage ? new Coverage((url) => SOURCES.test(url)) : undefined
const end = performance.now() + minutes * 60_000
const fuzzer = new Fuzzer(target, {
  seed,
  known: readCorpus(name),
  coverage,
  found: ({ input, error }) => keep(input, error),
  before: show,
})
let next = 0

function report(done: boolean): void {
  const { rss } = process.memoryUsage()
  parentPort?.postMessage({ ...fuzzer.progress, defects: known.size, rss, done } satisfies Report)
}

while (performance.now() < end) {
  fuzzer.round()
  if (performance.now() < next) continue
  next = performance.now() + REPORT_MS
  report(false)
}
coverage?.stop()
mkdirSync(folder, { recursive: true })
writeCorpus(join(folder, `${name}.txt`), fuzzer.kept)
report(true)
