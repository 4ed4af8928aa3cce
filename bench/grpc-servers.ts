import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { config } from '../receivers/otlp/config.ts'
import { Counts } from '../receivers/otlp/counts.ts'
import { Door } from '../receivers/otlp/door/door.ts'
import { serveGrpc } from '../receivers/otlp/grpc/serve.ts'
import { Serving } from '../receivers/otlp/grpc/services/serving.ts'
import { type Incoming, Intake } from '../receivers/otlp/intake.ts'
import { Connections } from '../receivers/otlp/limits/connections.ts'
import { Content } from '../receivers/otlp/limits/content.ts'
import { Limits } from '../receivers/otlp/limits/limits.ts'
import type { Outcome } from '../receivers/otlp/outcome.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { RUNTIME } from '../test/servers/runtime.ts'
import { type Child, firstLine, run } from './processes.ts'

/**
 * `node bench/grpc-servers.ts`: what a request costs in each implementation of OTLP/gRPC, from the socket to its bytes
 * and back to the answer, in CPU microseconds of the process. They take turns, and the median counts.
 */
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1,10,20,500' },
    seconds: { type: 'string', default: '1' },
    turns: { type: 'string', default: '9' },
    connections: { type: 'string', default: '4' },
    /** Requests under way on each connection. */
    inflight: { type: 'string', default: '4' },
    /** Run by this file itself: serves with one implementation and prints the port. */
    serve: { type: 'string' },
  },
})

const IMPLEMENTATIONS = ['grpc-js', 'http2', 'sluice'] as const
const WARM_UP_SECONDS = 4
const SUCCESS: Outcome = { ok: true, rejected: 0, message: '' }

/** Takes requests without looking at what they hold, which costs the same for all. */
class Reading extends Intake {
  override async take(incoming: Incoming, counts: Counts): Promise<Outcome> {
    await incoming.read()
    incoming.giveBack()
    incoming.hold.release()
    counts.count(SUCCESS, 1)
    return SUCCESS
  }
}

async function serve(implementation: string): Promise<void> {
  const settings = config.parse({ protocols: { grpc: { endpoint: '127.0.0.1:0', implementation } } })
  const { grpc } = settings.protocols
  if (grpc === undefined) throw new Error('gRPC is off')
  const metrics = new Metrics().bind({})
  const { port } = await serveGrpc(grpc, {
    intake: new Reading({
      push: async () => {},
      content: new Content(settings.limits, metrics),
      log: pino(),
      signal: new AbortController().signal,
    }),
    counts: new Counts(metrics, 'grpc'),
    limits: new Limits(settings.limits, metrics),
    connections: new Connections(settings.limits.max_connections, metrics, 'grpc'),
    guard: { certificates: undefined, door: new Door(undefined, settings.tenant, undefined) },
    serving: new Serving(),
  })
  console.log(port)
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
      const args = ['--serve', implementation]
      const child = run('bench/grpc-servers.ts', args, { stdout: 'pipe', ...RUNTIME })
      servers.push({ child, port: Number(await firstLine(child)), turns: [] })
    }
    for (const { port } of servers) await load(port, records, WARM_UP_SECONDS)
    for (let turn = 0; turn < Number(values.turns); turn++) {
      for (const { child, port, turns } of servers) {
        const before = await cpuSeconds(child)
        const requests = await load(port, records, Number(values.seconds))
        turns.push((((await cpuSeconds(child)) - before) * 1e6) / requests)
      }
    }
  } finally {
    for (const { child } of servers) await child.stop()
  }
  const [library, node, own] = servers.map(({ turns }) => median(turns))
  const cells = [library, node, own, node / own].map((value) => value.toFixed(1).padStart(10))
  console.log(`${String(records).padStart(7)}${cells.join('')}`)
}

/** Resolves with the requests that were answered. */
async function load(port: number, records: number, seconds: number): Promise<number> {
  const { connections, inflight } = values
  const options = { target: `127.0.0.1:${port}`, records, seconds, connections, inflight }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const report = await firstLine(run('bench/load.ts', args, { stdout: 'pipe' }))
  return (JSON.parse(report) as { readonly requests: number }).requests
}

/** User and system (proc(5), fields 14 and 15 of stat, in hundredths of a second). */
async function cpuSeconds({ process: { pid } }: Child): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]
}

if (values.serve !== undefined) {
  await serve(values.serve)
} else {
  console.log('CPU µs per request\nrecords   grpc-js     http2    sluice   http2 / sluice')
  for (const records of values.records.split(',').map(Number)) await measure(records)
}
