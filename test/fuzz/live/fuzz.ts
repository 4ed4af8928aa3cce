import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Options } from '../options.ts'
import { Random } from '../random.ts'
import { type LiveInput, LiveInputs } from './inputs.ts'
import { Neighbour } from './neighbour.ts'
import type { LivePorts, LiveReport } from './receiver.ts'

const AT_ONCE = 8
/** A connection that has said nothing for so long is given up. */
const PATIENCE_MS = 300
const NEIGHBOUR_EVERY = 50
const REPORT_EVERY_MS = 10_000
const MAX_WORK_MS = 100
const MAX_RSS = 512 * 1024 * 1024
/** Those that may have been under way when something went wrong. */
const KEPT_INPUTS = 64

/** Fuzzes a receiver in a process of its own by its connections. Resolves with the number of defects. */
export async function fuzzLive({ minutes, seed, grpc, folder }: Options): Promise<number> {
  const child = fork(new URL('./receiver.ts', import.meta.url), [grpc])
  const [ports] = (await once(child, 'message')) as [LivePorts]
  const inputs = new LiveInputs(new Random(seed))
  const neighbour = new Neighbour(ports)
  const recent: LiveInput[] = []
  const seen = { runs: 0, answered: 0, p99: 0, max: 0, work: 0, rss: 0, defects: 0 }
  const defect = (what: string): void => {
    seen.defects++
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `live-${seen.defects}.json`)
    const kept = recent.map(({ port, pieces }) => ({
      port,
      pieces: pieces.map((piece) => piece.toString('base64')),
    }))
    writeFileSync(file, JSON.stringify({ what, inputs: kept }))
    console.log(`DEFECT ${what}\n  ${file} (the last ${recent.length} connections)`)
  }
  child.on('message', ({ p99, max, longestWork, rss, errors }: LiveReport) => {
    seen.p99 = Math.max(seen.p99, p99)
    seen.max = Math.max(seen.max, max)
    seen.work = Math.max(seen.work, longestWork)
    seen.rss = Math.max(seen.rss, rss)
    if (longestWork > MAX_WORK_MS) defect(`the event loop is kept for ${Math.round(longestWork)} ms`)
    if (rss > MAX_RSS) defect(`the process has ${Math.round(rss / 2 ** 20)} MiB`)
    for (const line of errors) defect(`an error in the log: ${line}`)
  })
  const started = performance.now()
  const end = started + minutes * 60_000
  let reported = started
  const report = (): void => console.log(lineOf(seen, neighbour.slowestMs, performance.now() - started))
  const attack = async (): Promise<void> => {
    while (performance.now() < end && child.exitCode === null && child.signalCode === null) {
      const input = inputs.next()
      recent.push(input)
      if (recent.length > KEPT_INPUTS) recent.shift()
      if (await send(ports[input.port], input)) seen.answered++
      if (++seen.runs % NEIGHBOUR_EVERY === 0)
        await neighbour.ask().catch((error: Error) => defect(error.message))
      if (performance.now() - reported > REPORT_EVERY_MS) {
        reported = performance.now()
        report()
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, attack))
  if (child.exitCode !== null || child.signalCode !== null)
    defect(`the process ended: ${child.signalCode ?? child.exitCode}`)
  else {
    await once(child, 'message')
    child.disconnect()
    await once(child, 'exit')
  }
  neighbour.close()
  report()
  return seen.defects
}

/** Says all of it; true where something came back. */
async function send(port: number, { pieces }: LiveInput): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  let answered = false
  socket.on('error', () => {})
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    // The settings of HTTP/2 come unasked.
    if (chunk.length > 100 || chunk[0] === 0x48) answered = true
    if (answered) socket.destroy()
  })
  socket.on('end', () => socket.destroy())
  for (const piece of pieces) if (socket.writable && piece.length > 0) socket.write(piece)
  await once(socket, 'close').catch(() => {})
  return answered
}

function lineOf(
  {
    runs,
    answered,
    p99,
    max,
    work,
    rss,
    defects,
  }: Record<'runs' | 'answered' | 'p99' | 'max' | 'work' | 'rss' | 'defects', number>,
  slowestNeighbour: number,
  ms: number,
): string {
  return [
    `live ${(ms / 60_000).toFixed(1)} min`,
    `${runs} connections (${Math.round(runs / (ms / 1000))}/s)`,
    `${Math.round((answered / runs) * 100)} % answered`,
    `event loop p99 ${p99.toFixed(1)} ms and ${max.toFixed(0)} ms at most`,
    `longest work ${work.toFixed(0)} ms`,
    `slowest neighbour ${slowestNeighbour.toFixed(0)} ms`,
    `peak RSS ${Math.round(rss / 2 ** 20)} MiB`,
    `${defects} defects`,
  ].join(', ')
}
