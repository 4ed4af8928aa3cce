import { temporaryFolder } from '../test/servers/at-exit.ts'
import { startRedis } from '../test/servers/redis.ts'
import type { Protocol } from './load/frames.ts'
import type { LoadReport } from './load.ts'
import { cpuSecondsOf, firstLine, rssMibOf, run, treeOf, until } from './processes.ts'
import type { SinkReport } from './sink.ts'
import { metricsOf, ready, type Sluice, type SluiceRole, type Surroundings, startSluice } from './sluice.ts'

export interface BedOptions {
  readonly buffer?: 'redis' | 'disk'
  /** Of the buffer's elements. */
  readonly compression?: Surroundings['compression']
  /** Of documents; `otel` if absent. */
  readonly mapping?: Surroundings['mapping']
  /** Processes of Sluice: a gateway and a drain if absent, with a buffer on disk one that is both. */
  readonly sluice?: readonly SluiceRole[]
  /** `service.processes`, for gateway and drain; without it each is a process alone. */
  readonly processes?: Surroundings['processes']
  /** Folder for CPU profiles of Sluice. */
  readonly profile?: string | undefined
}

/** What the load generator is told; see the options in load.ts. */
export interface LoadOptions {
  readonly records: number
  readonly seconds: number
  readonly connections?: number
  readonly inflight?: number
  readonly protocol?: Protocol
  readonly gzip?: boolean
  readonly recordBytes?: number
  readonly sensitive?: number
  readonly rate?: number
}

/** A kind of process. */
export type Role = SluiceRole | 'redis' | 'sink'

const CONNECT_SECONDS = 20
const DRAIN_SECONDS = 120

/** Where something is measured: Redis or a folder, a bulk endpoint that takes everything, and processes of Sluice. */
export class Bed implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #sluice: Sluice[] = []
  readonly #pids: [Role, number][] = []
  readonly #profile: string | undefined
  #surroundings: Surroundings | undefined

  private constructor(profile: string | undefined) {
    this.#profile = profile
  }

  /** Starts everything, and resolves when all of it is ready. */
  static async open(options: BedOptions = {}): Promise<Bed> {
    const { buffer = 'redis', profile } = options
    const { sluice = buffer === 'redis' ? ['gateway', 'drain'] : ['both'] } = options
    const bed = new Bed(profile)
    try {
      await bed.#surround(buffer, options)
      for (const role of sluice) await ready(await bed.start(role))
      return bed
    } catch (error) {
      await bed[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Starts one more process of Sluice, and does not wait for it. */
  async start(role: SluiceRole): Promise<Sluice> {
    if (this.#surroundings === undefined) throw new Error('the bed has no Redis and no bulk endpoint yet')
    const sluice = await startSluice(role, this.#surroundings, this.#profile)
    this.#stack.defer(() => sluice.child.stop())
    this.#sluice.push(sluice)
    this.#pids.push([role, sluice.child.pid])
    return sluice
  }

  /** Runs the load generator, over all gateways evenly. */
  async load(options: LoadOptions): Promise<LoadReport> {
    const { gzip = false, protocol = 'grpc', ...numbers } = options
    const target = this.#gateways.map(({ ports }) => `127.0.0.1:${ports[protocol]}`).join(',')
    const args = Object.entries({ target, protocol, ...numbers }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ])
    const child = run('bench/load.ts', gzip ? [...args, '--gzip'] : args, { stdout: 'pipe' })
    return JSON.parse(await firstLine(child)) as LoadReport
  }

  /** Resolves when the gateways have so many connections. */
  async connected(connections: number): Promise<void> {
    const probe = async (): Promise<true | undefined> => {
      const sum = await sumsOf(this.#gateways)
      return sum('sluice_receiver_connections') >= connections ? true : undefined
    }
    await until(probe, { seconds: CONNECT_SECONDS, what: 'connecting' })
  }

  /** How many records were accepted and delivered since the start. */
  async counts(): Promise<{ readonly accepted: number; readonly delivered: number }> {
    const sum = await sumsOf(this.#sluice)
    return {
      accepted: sum('otelcol_receiver_accepted_log_records'),
      delivered: sum('otelcol_exporter_sent_log_records'),
    }
  }

  /** Resolves when everything that was accepted has been delivered. */
  async drained(): Promise<void> {
    const probe = async (): Promise<true | undefined> => {
      const { accepted, delivered } = await this.counts()
      return delivered >= accepted ? true : undefined
    }
    await until(probe, { seconds: DRAIN_SECONDS, what: 'draining' })
  }

  /** CPU time so far, by kind of process. */
  async cpuSeconds(): Promise<ReadonlyMap<Role, number>> {
    return this.#sumByRole(cpuSecondsOf)
  }

  /** Resident memory, by kind of process. */
  async rssMib(): Promise<ReadonlyMap<Role, number>> {
    return this.#sumByRole(rssMibOf)
  }

  async sinkReport(): Promise<SinkReport> {
    return (await (await this.#askSink('GET', '/report')).json()) as SinkReport
  }

  async resetSink(): Promise<void> {
    await this.#askSink('POST', '/reset')
  }

  /** Freezes the processes of a kind, or lets them go on. */
  async signal(role: Role, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    for (const [each, root] of this.#pids) {
      if (each === role) for (const pid of await treeOf(root)) process.kill(pid, signal)
    }
  }

  /** The processes of a kind that run pipelines, without those that supervise them. */
  async workers(role: Role): Promise<number[]> {
    const trees = this.#pids.filter(([each]) => each === role).map(([, root]) => treeOf(root))
    return (await Promise.all(trees)).flatMap(([root, ...children]) =>
      children.length === 0 ? [root] : children,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  /** Those that take requests. */
  get #gateways(): readonly Sluice[] {
    return this.#sluice.filter(({ role }) => role !== 'drain')
  }

  async #surround(buffer: 'redis' | 'disk', options: BedOptions): Promise<void> {
    const { compression = 'zstd', mapping = 'otel', processes } = options
    const folder = await temporaryFolder('bench')
    this.#stack.defer(() => folder.remove())
    const redis = buffer === 'redis' ? await startRedis({ args: ['--maxmemory', '4gb'] }) : undefined
    if (redis) {
      this.#stack.use(redis)
      this.#pids.push(['redis', redis.pid])
    }
    const sink = run('bench/sink.ts', [], { stdout: 'pipe' })
    this.#stack.defer(() => sink.stop())
    this.#pids.push(['sink', sink.pid])
    const sinkPort = Number(await firstLine(sink))
    this.#surroundings = { folder: folder.path, redis: redis?.url, sinkPort, compression, mapping, processes }
  }

  #askSink(method: string, path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#surroundings?.sinkPort}${path}`, { method })
  }

  async #sumByRole(read: (pid: number) => Promise<number>): Promise<ReadonlyMap<Role, number>> {
    const sums = new Map<Role, number>()
    for (const [role, root] of this.#pids) {
      // Redis writes its file anew in a child that comes and goes, and shares its memory.
      const pids = role === 'redis' ? [root] : await treeOf(root)
      for (const pid of pids) sums.set(role, (sums.get(role) ?? 0) + (await read(pid)))
    }
    return sums
  }
}

/** What processes count together, by the name of the metric. */
async function sumsOf(processes: readonly Sluice[]): Promise<(name: string) => number> {
  const all = await Promise.all(processes.map(metricsOf))
  return (name) => all.reduce((total, metrics) => total + (metrics.get(name) ?? 0), 0)
}
