import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../test/servers/ports.ts'
import { startRedis } from '../test/servers/redis.ts'
import { BUDGETS } from './budgets.ts'
import { type Child, firstLine, readMetrics, run, until } from './processes.ts'
import { Reference } from './reference.ts'

/**
 * `npm run bench`: gateway and drain as processes of their own, load over real gRPC, a real Redis, a bulk endpoint
 * that takes everything. Prints CPU per record beside the budgets, and writes bench/results/latest.json.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    records: { type: 'string', default: '500,10' },
    connections: { type: 'string', default: '4' },
    inflight: { type: 'string', default: '4' },
    /** Folder for CPU profiles of gateway and drain. */
    profile: { type: 'string' },
  },
})

interface Result {
  readonly recordsPerRequest: number
  readonly bytesPerRecord: number
  readonly records: number
  readonly delivered: number
  readonly refused: number
  readonly recordsPerSecond: number
  readonly clientP50: number
  readonly clientP99: number
  /** CPU microseconds per record. */
  readonly cpu: {
    readonly gateway: number
    readonly drain: number
    readonly redis: number
    readonly load: number
  }
  /** How many times slower than the machine of the budgets this one was meanwhile. */
  readonly slowness: number
  readonly rssMb: { readonly gateway: readonly number[]; readonly drain: readonly number[] }
}

/** As `npm start` and the `sluice` command have them: buffers come and go by the megabyte, and helpers of the collector cost more than they save. */
const NODE_FLAGS = ['--max-semi-space-size=32', '--single-threaded-gc']
const WARM_UP_SECONDS = 6
const SAMPLE_MS = 1000

async function measure(recordsPerRequest: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const children: Child[] = []
  const redis = await startRedis({ args: ['--maxmemory', '2gb'] })
  try {
    const sink = run('bench/null-bulk.ts', [], { stdout: 'pipe' })
    children.push(sink)
    const sinkPort = Number(await firstLine(sink))
    const [grpc, gatewayMetrics, drainMetrics] = await Promise.all([freePort(), freePort(), freePort()])
    const start = (pipeline: string, metricsPort: number): Child => {
      const file = join(folder, `${metricsPort}.yaml`)
      writeFileSync(file, configText({ grpc, metricsPort, redisUrl: redis.url, sinkPort }))
      const child = run('src/cli/main.ts', ['run', '--config', file, '--pipelines', pipeline], {
        flags: NODE_FLAGS,
        profile: values.profile,
      })
      children.push(child)
      return child
    }
    start('logs/gateway', gatewayMetrics)
    start('logs/drain', drainMetrics)
    for (const port of [gatewayMetrics, drainMetrics]) {
      await until(() => readMetrics(port), 20, 'starting Sluice')
    }
    await load(grpc, recordsPerRequest, WARM_UP_SECONDS)
    await drained(gatewayMetrics, drainMetrics)

    const before = await snapshot(gatewayMetrics, drainMetrics, redis.pid)
    const rss: { gateway: number[]; drain: number[] } = { gateway: [], drain: [] }
    const reference = new Reference()
    const sampler = setInterval(() => {
      reference.sample()
      void snapshot(gatewayMetrics, drainMetrics, redis.pid).then(({ gateway, drain }) => {
        rss.gateway.push(Math.round((gateway.get('otelcol_process_memory_rss') ?? 0) / 1e6))
        rss.drain.push(Math.round((drain.get('otelcol_process_memory_rss') ?? 0) / 1e6))
      })
    }, SAMPLE_MS)
    const started = performance.now()
    const client = await load(grpc, recordsPerRequest, Number(values.seconds))
    await drained(gatewayMetrics, drainMetrics)
    const seconds = (performance.now() - started) / 1000
    clearInterval(sampler)
    const after = await snapshot(gatewayMetrics, drainMetrics, redis.pid)

    const records = difference(before.gateway, after.gateway, 'otelcol_receiver_accepted_log_records')
    const cpuOf = (role: 'gateway' | 'drain'): number =>
      (difference(before[role], after[role], 'otelcol_process_cpu_seconds') * 1e6) / records
    return {
      recordsPerRequest,
      bytesPerRecord: client.bytesPerRecord,
      records,
      delivered: difference(before.drain, after.drain, 'otelcol_exporter_sent_log_records'),
      refused: client.refused,
      recordsPerSecond: records / seconds,
      clientP50: client.p50,
      clientP99: client.p99,
      cpu: {
        gateway: cpuOf('gateway'),
        drain: cpuOf('drain'),
        redis: ((after.redisCpu - before.redisCpu) * 1e6) / records,
        load: (client.cpuSeconds * 1e6) / records,
      },
      slowness: reference.slowness,
      rssMb: rss,
    }
  } finally {
    for (const child of children.reverse()) await child.stop()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ClientReport {
  readonly refused: number
  readonly p50: number
  readonly p99: number
  readonly bytesPerRecord: number
  readonly cpuSeconds: number
}

async function load(port: number, records: number, seconds: number): Promise<ClientReport> {
  const { connections, inflight } = values
  const options = { target: `127.0.0.1:${port}`, records, seconds, connections, inflight }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return JSON.parse(await firstLine(run('bench/load.ts', args, { stdout: 'pipe' }))) as ClientReport
}

/** Waits until everything the gateway took has been delivered. */
async function drained(gatewayPort: number, drainPort: number): Promise<void> {
  await until(
    async () => {
      const [gateway, drain] = await Promise.all([readMetrics(gatewayPort), readMetrics(drainPort)])
      const accepted = gateway.get('otelcol_receiver_accepted_log_records') ?? 0
      return (drain.get('otelcol_exporter_sent_log_records') ?? 0) >= accepted ? true : undefined
    },
    60,
    'draining',
  )
}

async function snapshot(gatewayPort: number, drainPort: number, redisPid: number) {
  const [gateway, drain, redisCpu] = await Promise.all([
    readMetrics(gatewayPort),
    readMetrics(drainPort),
    cpuSecondsOf(redisPid),
  ])
  return { gateway, drain, redisCpu }
}

/** CPU time of any process, user and system (proc(5), fields 14 and 15 of stat, in hundredths of a second). */
async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function difference(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  name: string,
): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0)
}

function configText(of: { grpc: number; metricsPort: number; redisUrl: string; sinkPort: number }): string {
  return `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${of.grpc}" } } }
processors:
  redaction:
  trace_context:
  sampling:
connectors:
  redis: { url: "${of.redisUrl}" }
exporters:
  elasticsearch: { endpoint: "http://127.0.0.1:${of.sinkPort}" }
service:
  telemetry:
    logs: { level: error }
    metrics: { address: "127.0.0.1:${of.metricsPort}" }
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction, trace_context, sampling], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
}

function print(result: Result): void {
  const { slowness } = result
  const budget = BUDGETS[result.recordsPerRequest]
  const whole = result.cpu.gateway + result.cpu.drain + result.cpu.redis
  const line = (name: string, value: number, limit: number | undefined): void =>
    console.log(
      `  ${name.padEnd(8)} ${value.toFixed(1).padStart(8)} ${(value / slowness).toFixed(1).padStart(12)} ${String(limit ?? '-').padStart(8)}`,
    )
  console.log(
    `\n${result.recordsPerRequest} records of ${result.bytesPerRecord.toFixed(0)} bytes per request; CPU µs per record`,
  )
  console.log(
    `  ${''.padEnd(8)} ${'measured'.padStart(8)} ${'/ slowness'.padStart(12)} ${'budget'.padStart(8)}`,
  )
  line('gateway', result.cpu.gateway, budget?.gateway)
  line('drain', result.cpu.drain, budget?.drain)
  line('redis', result.cpu.redis, undefined)
  line('whole', whole, budget?.whole)
  console.log(`  this machine was ${slowness.toFixed(2)} times slower than that of the budgets`)
  console.log(
    `  ${Math.round(result.recordsPerSecond)} records/s (budget ${budget?.throughput ?? '-'}), delivered ${result.delivered} of ${result.records}`,
  )
  console.log(
    `  client p50 ${result.clientP50.toFixed(1)} ms, p99 ${result.clientP99.toFixed(1)} ms, refused ${result.refused}`,
  )
  console.log(`  rss MB: gateway ${result.rssMb.gateway.join(' ')} | drain ${result.rssMb.drain.join(' ')}`)
}

const results: Result[] = []
for (const records of values.records.split(',').map(Number)) {
  const result = await measure(records)
  print(result)
  results.push(result)
}
const machine = {
  cpu: cpus()[0].model,
  cores: cpus().length,
  memoryMb: Math.round(totalmem() / 1e6),
  node: process.version,
}
mkdirSync('bench/results', { recursive: true })
writeFileSync(
  'bench/results/latest.json',
  `${JSON.stringify({ machine, budgets: BUDGETS, results }, null, 2)}\n`,
)
console.log('\nwritten to bench/results/latest.json')
