import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Options } from './options.ts'
import type { TargetName } from './targets.ts'
import type { Report, Work } from './worker.ts'

const HEADER_BYTES = 8
const LARGEST_INPUT = 1024 * 1024
const LOOK_MS = 5_000
/** An input that takes longer never ends. */
const HANG_MS = 30_000

/** Fuzzes a target in a thread of its own, so that this one sees it hang or die. Resolves with the number of defects. */
export async function fuzzInWorker(target: TargetName, options: Options): Promise<number> {
  const watch = new SharedArrayBuffer(HEADER_BYTES + LARGEST_INPUT)
  const header = new Int32Array(watch, 0, 2)
  const { seed, minutes, withCoverage, folder } = options
  const workerData: Work = { target, seed, minutes, withCoverage, folder, watch }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData })
  const started = performance.now()
  let peakRss = 0
  let last: Report | undefined
  let begun = 0
  let begunAt = started
  const keep = (what: string): void => {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${target}-${what}.bin`)
    writeFileSync(file, Buffer.from(watch, HEADER_BYTES, header[1]))
    console.log(`DEFECT the reader ${what}s\n  ${file}`)
  }
  return await new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = Atomics.load(header, 0)
      if (now !== begun) {
        begun = now
        begunAt = performance.now()
      } else if (performance.now() - begunAt > HANG_MS) {
        clearInterval(timer)
        keep('hang')
        void worker.terminate()
      }
    }, LOOK_MS)
    worker.on('message', (report: Report) => {
      last = report
      peakRss = Math.max(peakRss, report.rss)
      console.log(lineOf(target, report, peakRss, performance.now() - started))
    })
    worker.on('error', (error) => {
      console.log(String(error.stack))
      keep('crashe')
    })
    worker.on('exit', () => {
      clearInterval(timer)
      resolve(last?.done ? last.defects : 1)
    })
  })
}

function lineOf(target: string, report: Report, peakRss: number, ms: number): string {
  const { runs, accepted, corpus, reached, slowestMs, defects } = report
  return [
    `${target} ${(ms / 60_000).toFixed(1)} min`,
    `${runs} runs (${Math.round(runs / (ms / 1000))}/s)`,
    `${Math.round((accepted / runs) * 100)} % accepted`,
    `corpus ${corpus}`,
    `reached ${reached} characters`,
    `slowest ${slowestMs.toFixed(0)} ms`,
    `peak RSS ${Math.round(peakRss / 2 ** 20)} MiB`,
    `${defects} defects`,
  ].join(', ')
}
