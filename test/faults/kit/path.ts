import { join } from 'node:path'
import { eventually, type MetricsSnapshot, type Sluice, startSluice } from '../../e2e/sluice.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { freePort } from '../../servers/ports.ts'
import { type RedisOptions, type RedisServer, startRedis } from '../../servers/redis.ts'
import type { Documents } from './documents.ts'
import { Ledger } from './ledger.ts'
import { type Load, type LoadOptions, startLoad } from './load.ts'
import { judge, missing, type Verdict } from './oracle.ts'
import { startSink } from './sink.ts'

/** Where bulks go: a sink of any kind. */
export interface Destination {
  readonly url: string
  readonly documents: Documents
  /** Brings `documents` up to date, where that takes something. */
  refresh?(): Promise<void>
}

interface CommonOptions<D extends Destination> {
  /** A sink in this process when absent. Whoever gives one ends it. */
  readonly sink?: D
  /** Settings of the connector, besides or instead of those below. */
  readonly connector?: Readonly<Record<string, string | number>>
  /** Settings of the exporter, likewise. */
  readonly exporter?: object
  /** Limits of the receiver. */
  readonly limits?: object
  /** Added to the environment of all processes. */
  readonly env?: NodeJS.ProcessEnv
}

/** What a test has of a whole path, whichever buffer is in it. */
export interface Path<D extends Destination> extends AsyncDisposable {
  readonly ledger: Ledger
  readonly sink: D
  readonly gateway: Sluice
  readonly grpc: number
  readonly http: number
  /** In order of their numbers; one and the same as the gateway with a buffer that one process uses. */
  readonly drains: readonly Sluice[]
  load(options?: Partial<LoadOptions>): Load
  /** Waits until everything is delivered that was acknowledged, or the buffer holds nothing any more; judges then. */
  verdict(timeout?: number): Promise<Verdict>
}

/** Sign of life of workers, so that a test need not wait long for the dead to be noticed: milliseconds. */
export const WORKER_TIMEOUT = 3_000
export const COMMAND_TIMEOUT = 2_000
const REDIS_SETTINGS = {
  worker_timeout: `${WORKER_TIMEOUT}ms`,
  heartbeat: '500ms',
  command_timeout: `${COMMAND_TIMEOUT}ms`,
}
/** Longer than the second at which the gauges of a Redis buffer are behind. */
const QUIET = 1_500
const LOOK = 100

export interface RedisPathOptions<D extends Destination> extends CommonOptions<D> {
  /** A running one, which stays the caller's. */
  readonly redis?: RedisServer
  readonly redisOptions?: RedisOptions
  /** Where gateways and drains find Redis, when not where it is. */
  readonly redisUrl?: { readonly gateway: string; readonly drain: string }
  readonly drains?: number
}

export interface RedisPath<D extends Destination> extends Path<D> {
  readonly redis: RedisServer
}

type DefaultSink = Awaited<ReturnType<typeof startSink>>

/** A gateway, a Redis, and drains, in a process each. A drain's requests carry its number as `x-drain`. */
export async function startRedisPath<D extends Destination = DefaultSink>(
  options: RedisPathOptions<D> = {},
): Promise<RedisPath<D>> {
  await using started = new AsyncDisposableStack()
  const sink = options.sink ?? (started.use(await startSink()) as unknown as D)
  const redis = options.redis ?? started.use(await startRedis(options.redisOptions))
  const urls = options.redisUrl ?? { gateway: redis.url, drain: redis.url }
  const ports = { grpc: await freePort(), http: await freePort() }
  const run = async (pipeline: 'gateway' | 'drain', number = 0): Promise<Sluice> => {
    const connector = { redis: { url: urls[pipeline], ...REDIS_SETTINGS, ...options.connector } }
    const config = configOf({
      ...ports,
      limits: options.limits,
      connector,
      name: 'redis',
      exporter: exporterOf(sink, number, options),
    })
    const env = options.env ?? {}
    return started.use(await startSluice({ config, pipelines: `logs/${pipeline}`, env }))
  }
  const drains = await Promise.all(Array.from({ length: options.drains ?? 1 }, (_, i) => run('drain', i)))
  const gateway = await run('gateway')
  const all = started.move()
  return {
    ...makePath({ sink, ports, gateway, drains }),
    redis,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

export interface DiskPathOptions<D extends Destination> extends CommonOptions<D> {
  /** A temporary one when absent. */
  readonly directory?: string
}

export interface DiskPath<D extends Destination> extends Path<D> {
  readonly directory: string
}

/** Gateway and drain in one process, with a folder between them. */
export async function startDiskPath<D extends Destination = DefaultSink>(
  options: DiskPathOptions<D> = {},
): Promise<DiskPath<D>> {
  await using started = new AsyncDisposableStack()
  const sink = options.sink ?? (started.use(await startSink()) as unknown as D)
  let { directory } = options
  if (directory === undefined) {
    const folder = await temporaryFolder('buffer')
    started.defer(() => folder.remove())
    directory = join(folder.path, 'buffer')
  }
  const ports = { grpc: await freePort(), http: await freePort() }
  const connector = { disk: { directory, ...options.connector } }
  const exporter = exporterOf(sink, 0, options)
  const config = configOf({ ...ports, limits: options.limits, connector, name: 'disk', exporter })
  const sluice = started.use(await startSluice({ config, env: options.env ?? {} }))
  const all = started.move()
  return {
    ...makePath({ sink, ports, gateway: sluice, drains: [sluice] }),
    directory,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

interface Parts<D extends Destination> {
  readonly sink: D
  readonly ports: { readonly grpc: number; readonly http: number }
  readonly gateway: Sluice
  readonly drains: readonly Sluice[]
}

function makePath<D extends Destination>(parts: Parts<D>): Omit<Path<D>, typeof Symbol.asyncDispose> {
  const { sink, ports, gateway, drains } = parts
  const ledger = new Ledger()
  return {
    ledger,
    sink,
    gateway,
    drains,
    ...ports,
    load: (options) => startLoad({ ledger, ...ports, ...options }),
    async verdict(timeout = 180_000) {
      let emptySince: number | undefined
      const isOver = async (): Promise<boolean> => {
        await sink.refresh?.()
        const held = (await drains[0].metrics()).sum('sluice_buffer_records')
        emptySince = held === 0 ? (emptySince ?? performance.now()) : undefined
        // What is lost never comes; what was delivered twice may still be on its way.
        const patience = missing(ledger, sink.documents) === 0 ? QUIET : 4 * QUIET
        await new Promise((resolve) => setTimeout(resolve, LOOK))
        return emptySince !== undefined && performance.now() - emptySince > patience
      }
      await eventually('the buffer is empty', isOver, timeout)
      return judge(ledger, sink.documents)
    },
  }
}

/** What came in and what became of it, by the metrics of processes that lived all the time. */
export async function conservation({ gateway, drains }: Pick<Path<Destination>, 'gateway' | 'drains'>) {
  const processes = await Promise.all([...new Set([gateway, ...drains])].map((sluice) => sluice.metrics()))
  const sum = (name: string): number =>
    processes.reduce((total: number, metrics: MetricsSnapshot) => total + metrics.sum(name), 0)
  const letters = sum('sluice_dead_letter_log_records_total')
  const kept =
    // All processes of a shared buffer show the whole of it.
    processes[processes.length - 1].sum('sluice_buffer_records') +
    sum('sluice_dropped_log_records_total') +
    letters
  return {
    letters,
    received: sum('otelcol_receiver_accepted_log_records'),
    /** Delivered, buffered, dropped and dead-lettered. What was delivered twice counts twice. */
    accounted: sum('otelcol_exporter_sent_log_records') + kept,
    /** The same by what left the buffer, which everything does once. */
    settled: sum('sluice_buffer_acked_log_records_total') + kept,
  }
}

interface Settings {
  readonly grpc: number
  readonly http: number
  readonly limits: object | undefined
  readonly connector: object
  readonly name: string
  readonly exporter: object
}

function exporterOf(sink: Destination, number: number, { exporter }: CommonOptions<Destination>): object {
  return {
    endpoint: sink.url,
    headers: { 'x-drain': String(number) },
    timeout: '5s',
    retry_on_failure: { initial_interval: '100ms', max_interval: '1s' },
    ...exporter,
  }
}

function configOf({ grpc, http, limits = {}, connector, name, exporter }: Settings): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}" }
      http: { endpoint: "127.0.0.1:${http}" }
    limits: ${JSON.stringify(limits)}
processors:
  redaction:
connectors: ${JSON.stringify(connector)}
exporters:
  elasticsearch: ${JSON.stringify(exporter)}
service:
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [${name}] }
    logs/drain: { receivers: [${name}], exporters: [elasticsearch] }
`
}
