import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/servers/ports.ts'
import { RUNTIME } from '../test/servers/runtime.ts'
import { type Child, run, until } from './processes.ts'

/** Which pipelines a process of Sluice runs. */
export type SluiceRole = 'gateway' | 'drain' | 'both'

/** What processes of Sluice work with. */
export interface Surroundings {
  /** For config files, and a buffer on disk. */
  readonly folder: string
  /** URL; without one the buffer is on disk. */
  readonly redis: string | undefined
  readonly sinkPort: number
  readonly compression: 'zstd' | 'none'
  /** How documents are laid out. */
  readonly mapping: 'otel' | 'ecs'
  /** How many of each a supervising process runs; without it there is none. */
  readonly processes: Readonly<Record<'gateway' | 'drain', number>> | undefined
}

export interface Ports {
  readonly grpc: number
  readonly http: number
  readonly metrics: number
  readonly health: number
}

/** A process of Sluice, or one that supervises others. */
export interface Sluice {
  readonly role: SluiceRole
  readonly child: Child
  readonly ports: Ports
}

const START_SECONDS = 20
const PIPELINES = { gateway: ['logs/gateway'], drain: ['logs/drain'], both: [] } as const

/** Starts a process, and does not wait for it. */
export async function startSluice(role: SluiceRole, of: Surroundings, profile?: string): Promise<Sluice> {
  const [grpc, http, metrics, health] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const ports = { grpc, http, metrics, health }
  const file = join(of.folder, `${metrics}.yaml`)
  await writeFile(file, configText(of, ports))
  const some = PIPELINES[role].flatMap((name) => ['--pipelines', name])
  const args = ['run', '--config', file, ...some]
  return { role, ports, child: run('src/cli/main.js', args, { ...RUNTIME, profile }) }
}

/** Resolves when the health endpoint says that all is well. */
export async function ready({ ports }: Sluice, everyMs?: number): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    const { ok } = await fetch(`http://127.0.0.1:${ports.health}/`)
    return ok ? true : undefined
  }
  await until(probe, { seconds: START_SECONDS, what: 'starting Sluice', everyMs })
}

/** Values of a process's metrics: the sum over all label sets, by name. */
export async function metricsOf({ ports }: Sluice): Promise<ReadonlyMap<string, number>> {
  return await metricsAt(ports.metrics)
}

/** The same, of any metrics endpoint. */
export async function metricsAt(port: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  const sums = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/.exec(line)
    if (match) sums.set(match[1], (sums.get(match[1]) ?? 0) + Number(match[2]))
  }
  return sums
}

/** The path from OTLP to Elasticsearch. */
function configText(of: Surroundings, ports: Ports): string {
  const { folder, redis, sinkPort, compression, mapping, processes } = of
  const groups = processes && [
    `{ pipelines: [logs/gateway], count: ${processes.gateway} }`,
    `{ pipelines: [logs/drain], count: ${processes.drain} }`,
  ]
  const [buffer, where] = redis
    ? ['redis', `url: "${redis}"`]
    : ['disk', `directory: ${JSON.stringify(join(folder, 'buffer'))}`]
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${ports.grpc}" }
      http: { endpoint: "127.0.0.1:${ports.http}" }
    limits: { max_attributes: 128, max_key_length: 1KiB, max_value_length: 64KiB, max_body_length: 256KiB }
processors:
  redaction:
  trace_context:
  sampling:
connectors:
  ${buffer}: { ${where}, compression: ${compression} }
exporters:
  elasticsearch: { endpoint: "http://127.0.0.1:${sinkPort}", mapping: { mode: ${mapping} } }
extensions:
  health_check: { endpoint: "127.0.0.1:${ports.health}" }
service:
  extensions: [health_check]
  telemetry:
    logs: { level: error }
    metrics: { address: "127.0.0.1:${ports.metrics}" }
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction, trace_context, sampling], exporters: [${buffer}] }
    logs/drain: { receivers: [${buffer}], exporters: [elasticsearch] }
${groups ? `  processes: [${groups.join(', ')}]` : ''}
`
}
