import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/servers/ports.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { RUNTIME } from '../../test/servers/runtime.ts'
import { type Child, firstLine, run, until } from '../processes.ts'
import { metricsAt } from '../sluice.ts'
import type { Trial } from './trial.ts'

/** What was seen of a run, real or simulated: records in the buffer over time, and delays, in milliseconds. */
export interface Observation {
  readonly backlog: readonly { readonly ms: number; readonly records: number }[]
  readonly p50: number
  readonly p99: number
  /** Records in requests that were sent back; each counts at every attempt. */
  readonly refused: number
}

/** A real run also tells how many bytes Redis had in use with nothing in its lists. */
export type RealObservation = Observation & { readonly emptyMemory: number }

const WARM_UP_SECONDS = 4
const SAMPLE_MS = 250
/** Between the warm-up and the trial: long enough for the connector to look at an empty Redis. */
const LEAD_MS = 6000

/** What the load tells: requests sent back, and milliseconds that a request left late, or was under way, at most. */
interface Sent {
  readonly refused: number
  readonly late: number
  readonly slowest: number
}

/** CPU is to be no part of a trial: a machine on which something takes longer than this is too busy for one. */
const PATIENCE_MS = 1500

/**
 * Plays a trial for real: Redis, gateway, drain, a sink of limited rate and the load, each a process of its own.
 * @throws Error when the machine was too busy for it to mean anything
 */
export async function realRun(trial: Trial): Promise<RealObservation> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-simulate-'))
  const children: Child[] = []
  let sampling: NodeJS.Timeout | undefined
  const redis = await startRedis({ args: ['--maxmemory', String(trial.maxMemory)] })
  try {
    const sink = run('bench/simulation/limited-sink.ts', ['--rate', String(trial.sinkRate)], {
      stdout: 'pipe',
    })
    children.push(sink)
    const sinkUrl = `http://127.0.0.1:${await firstLine(sink)}`
    const [grpc, gateway, drain] = await Promise.all([freePort(), freePort(), freePort()])
    for (const [pipeline, metrics] of [
      ['logs/gateway', gateway],
      ['logs/drain', drain],
    ] as const) {
      const file = join(folder, `${metrics}.yaml`)
      writeFileSync(file, configText(trial, { grpc, metrics, redis: redis.url, sink: sinkUrl }))
      children.push(run('src/cli/main.js', ['run', '--config', file, '--pipelines', pipeline], RUNTIME))
    }
    for (const port of [gateway, drain])
      await until(() => metricsAt(port), { seconds: 30, what: 'starting Sluice' })
    await load(grpc, trial, { seconds: WARM_UP_SECONDS })
    await until(async () => ((await backlog(drain)) === 0 ? true : undefined), {
      seconds: 30,
      what: 'draining the warm-up',
    })

    const begin = Date.now() + LEAD_MS
    await sleep(LEAD_MS / 2)
    const emptyMemory = ((await metricsAt(drain)).get('sluice_redis_memory_ratio') ?? 0) * trial.maxMemory
    const control = async (switched: 'on' | 'off', ms: number): Promise<void> => {
      await sleep(begin + ms - Date.now())
      await fetch(`${sinkUrl}/outage/${switched}`, { method: 'POST' })
    }
    const samples: { ms: number; records: number }[] = []
    const sample = async (): Promise<void> => {
      const ms = Date.now() - begin
      const records = await backlog(drain)
      if (ms >= 0) samples.push({ ms, records })
    }
    // What is missed once in a while is made up by the next.
    sampling = setInterval(() => void sample().catch(() => {}), SAMPLE_MS)
    const [sent] = await Promise.all([
      load(grpc, trial, { seconds: trial.seconds, begin, steps: JSON.stringify(trial.steps) }),
      control('on', trial.outage.fromMs),
      control('off', trial.outage.toMs),
    ])
    clearInterval(sampling)
    await until(async () => ((await backlog(drain)) === 0 ? true : undefined), {
      seconds: 30,
      what: 'draining',
    })
    if (Math.max(sent.late, sent.slowest) > PATIENCE_MS) {
      const times = `the load was up to ${Math.round(sent.late)} ms late, an answer took up to ${Math.round(sent.slowest)} ms`
      throw new Error(`${times}: something else keeps this machine busy; try again later`)
    }
    const delays = (await (await fetch(`${sinkUrl}/delays`)).json()) as [takenMs: number, delay: number][]
    const own = delays.filter(([takenMs, delay]) => takenMs - delay >= begin - 1).map(([, delay]) => delay)
    own.sort((a, b) => a - b)
    const quantile = (q: number): number => own[Math.floor(own.length * q)]
    const refused = sent.refused * trial.recordsPerRequest
    return { backlog: samples, p50: quantile(0.5), p99: quantile(0.99), refused, emptyMemory }
  } finally {
    clearInterval(sampling)
    for (const child of children.reverse()) await child.stop()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function backlog(port: number): Promise<number> {
  return (await metricsAt(port)).get('sluice_buffer_records') ?? 0
}

async function load(port: number, trial: Trial, more: Record<string, string | number>): Promise<Sent> {
  const options = { target: `127.0.0.1:${port}`, records: trial.recordsPerRequest, rate: trial.rate, ...more }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = run('bench/simulation/paced-load.ts', args, { stdout: 'pipe' })
  return JSON.parse(await firstLine(child)) as Sent
}

function configText(
  trial: Trial,
  at: { grpc: number; metrics: number; redis: string; sink: string },
): string {
  return `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${at.grpc}" } } }
processors:
  redaction:
  trace_context:
  sampling:
connectors:
  redis: { url: "${at.redis}" }
exporters:
  elasticsearch:
    endpoint: "${at.sink}"
    retry_on_failure: { max_interval: ${trial.maxInterval}ms }
service:
  telemetry:
    logs: { level: error }
    metrics: { address: "127.0.0.1:${at.metrics}" }
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction, trace_context, sampling], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
}
