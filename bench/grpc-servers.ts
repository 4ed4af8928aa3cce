import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { otlp } from '../receivers/otlp/index.ts'
import { OtlpReceiver } from '../receivers/otlp/receiver.ts'
import { LogBatch } from '../src/logs/batch.ts'
import { testContext } from '../test/support/component.ts'
import { makePayload } from './payload.ts'
import { type Child, firstLine, NODE_FLAGS, run } from './processes.ts'

/**
 * `node bench/grpc-servers.ts`: what a request costs each implementation of OTLP/gRPC, from the socket to a push that
 * does nothing, in CPU microseconds of its process. They take turns, and the median counts.
 */
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1,10,20,500' },
    seconds: { type: 'string', default: '1' },
    turns: { type: 'string', default: '9' },
    /** Run by this file itself: serves with one implementation and prints the port. */
    serve: { type: 'string' },
  },
})

const IMPLEMENTATIONS = ['grpc-js', 'http2'] as const
const WARM_UP_SECONDS = 5
const DECODE_MS = 200

async function serve(implementation: string): Promise<void> {
  const config = otlp.config.parse({ protocols: { grpc: { endpoint: '127.0.0.1:0', implementation } } })
  const receiver = new OtlpReceiver(config, { ...testContext(), push: async () => {} })
  await receiver.start()
  console.log(receiver.port('grpc'))
}

interface Server {
  readonly child: Child
  readonly port: number
  readonly turns: number[]
}

async function measure(records: number): Promise<void> {
  const servers: Server[] = []
  try {
    for (const implementation of IMPLEMENTATIONS) {
      const child = run('bench/grpc-servers.ts', ['--serve', implementation], {
        stdout: 'pipe',
        flags: NODE_FLAGS,
      })
      servers.push({ child, port: Number(await firstLine(child)), turns: [] })
    }
    for (const { port } of servers) await load(port, records, WARM_UP_SECONDS)
    for (let turn = 0; turn < Number(values.turns); turn++) {
      for (const server of servers) {
        const before = await cpuSeconds(server.child)
        const requests = await load(server.port, records, Number(values.seconds))
        const used = (await cpuSeconds(server.child)) - before
        server.turns.push((used * 1e6) / requests)
      }
    }
  } finally {
    for (const { child } of servers) await child.stop()
  }
  const [library, own] = servers.map(({ turns }) => median(turns))
  const decode = decodeMicroseconds(records)
  const cells = [library, own, decode].map((value) => value.toFixed(1).padStart(10))
  const ratios = [library / own, (library - decode) / (own - decode)].map((ratio) =>
    ratio.toFixed(1).padStart(9),
  )
  console.log([String(records).padStart(7), ...cells, ...ratios].join(''))
}

/** Resolves with the requests that were answered. */
async function load(port: number, records: number, seconds: number): Promise<number> {
  const options = { target: `127.0.0.1:${port}`, records, seconds, connections: 4, inflight: 4 }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const report = await firstLine(run('bench/load.ts', args, { stdout: 'pipe' }))
  return (JSON.parse(report) as { readonly requests: number }).requests
}

/** User and system (proc(5), fields 14 and 15 of stat, in hundredths of a second). */
async function cpuSeconds({ process: { pid } }: Child): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** What both do with a request once they have its bytes: nearly the same for either. */
function decodeMicroseconds(records: number): number {
  const payload = makePayload({ records, seed: 1 })
  const turns: number[] = []
  for (let turn = 0; turn < Number(values.turns); turn++) {
    const end = performance.now() + DECODE_MS
    const before = process.cpuUsage()
    let decoded = 0
    while (performance.now() < end) decoded += LogBatch.decode(payload).size
    const { user, system } = process.cpuUsage(before)
    turns.push(((user + system) * records) / decoded)
  }
  return median(turns)
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]
}

if (values.serve !== undefined) {
  await serve(values.serve)
} else {
  console.log('CPU µs per request            of which  times     without')
  console.log('records   grpc-js     http2    decode   cheaper   decode')
  for (const records of values.records.split(',').map(Number)) await measure(records)
}
