import type { ComponentContext } from '../../../src/define.ts'
import { newIdentityKey } from '../../../src/logs/identity.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import type { QueueCounts } from '../server/drain-rate.ts'
import { StreamGauges } from './gauges.ts'
import type { Naming } from './naming.ts'
import { observedKeys, Registry } from './registry.ts'
import { OBSERVE } from './registry-scripts.ts'

/** An empty stream is looked at only so often: at every tenth look. */
const SELDOM = 10

/** What a stream holds. */
export interface Contents {
  readonly deadRecords: number
  readonly deadElements: number
  /** Queues that no group of the config reads, and how many elements are in them. */
  readonly abandoned: ReadonlyMap<string, number>
  /** In the order of the config. */
  readonly groups: readonly {
    readonly records: number
    readonly bytes: number
    readonly waiting: number
    readonly inFlight: number
  }[]
}

/** The client for the server that holds a key, once it has tried to connect. */
export type ClientOf = (key: string) => Promise<RedisClient>

export interface StreamsOptions {
  /** For the registry. */
  readonly client: RedisClient
  readonly clientOf: ClientOf
  readonly naming: Naming
  readonly config: Pick<RedisConfig, 'max_streams'>
  readonly context: ComponentContext
}

/** The streams of a connector: which there are, and what they hold. */
export class Streams {
  readonly registry: Registry
  readonly naming: Naming
  readonly #options: StreamsOptions
  readonly #gauges: StreamGauges
  #contents: ReadonlyMap<string, Contents> = new Map()
  #looks = 0
  #told = ''

  constructor(options: StreamsOptions) {
    const { client, clientOf, naming, config, context } = options
    this.#options = options
    this.naming = naming
    this.registry = new Registry({ client, clientOf, naming, maxStreams: config.max_streams })
    this.#gauges = new StreamGauges(context.metrics, naming.groups)
  }

  /** Looks at the registry and at the streams, shows what they hold, and returns the identity key. */
  async observe(): Promise<Buffer> {
    const { registry } = this
    const identity = await registry.refresh(newIdentityKey())
    const names = new Set(registry.names)
    // The registry may lie on another server of a cluster than the stream, and have lost its last second.
    const lost = [...this.#contents].filter(([name, contents]) => !names.has(name) && !isEmpty(contents))
    for (const [name] of lost) {
      await registry.restore(name)
      names.add(name)
    }
    const contents = await Promise.all(
      [...names].map(async (name, index) => [name, await this.#see(name, index)] as const),
    )
    this.#contents = new Map(contents)
    if (this.#looks++ % SELDOM === 0) {
      for (const name of await registry.forgetIdle()) this.#contents = without(this.#contents, name)
    }
    this.#gauges.show([...this.#contents.values()])
    this.#tell()
    return identity
  }

  /**
   * What the queues of all streams hold. Only reads, so that it works whatever keeps others from writing.
   */
  queues(): Promise<QueueCounts[]> {
    const { clientOf, naming } = this.#options
    const stats = this.registry.names.flatMap((name) => {
      const keys = naming.keys(name)
      return naming.groups.map((group) => ({ queue: keys.queue(group), stats: keys.stats(group) }))
    })
    return Promise.all(
      stats.map(async ({ queue, stats: key }) => {
        const client = await clientOf(key)
        const reply = await client.command('HMGET', [key, 'records', 'bytes', 'pushed'])
        const [records, bytes, pushed] = (reply as (Buffer | null)[]).map((count) =>
          Math.max(0, Number(count)),
        )
        return { queue, records, bytes, pushed }
      }),
    )
  }

  /** What operators should know of the streams; empty when all is well. */
  get trouble(): string {
    return this.#told
  }

  async #see(name: string, index: number): Promise<Contents> {
    const { clientOf, naming } = this.#options
    const before = this.#contents.get(name)
    const always = naming.template.fixed !== undefined || before === undefined || !isEmpty(before)
    if (!always && (this.#looks + index) % SELDOM !== 0) return before
    const keys = observedKeys(naming, name)
    const client = await clientOf(keys[0])
    const reply = await client.run(OBSERVE, keys, naming.groups)
    return contentsOf(reply as Reply, naming.groups.length)
  }

  #tell(): void {
    const queues = [...this.#contents.values()].flatMap(({ abandoned }) => [...abandoned.keys()])
    const names = queues.length > 3 ? [...queues.slice(0, 3), `${queues.length - 3} more`] : queues
    const trouble =
      queues.length === 0
        ? ''
        : `no pipeline reads ${names.join(', ')} any more: DEL what is not needed, or bring its pipeline back`
    if (trouble !== '' && trouble !== this.#told) this.#options.context.log.warn({ queues: names }, trouble)
    this.#told = trouble
  }
}

type Reply = [deadRecords: number, deadElements: number, abandoned: [Buffer, number][], ...counts: number[]]

function contentsOf([deadRecords, deadElements, abandoned, ...counts]: Reply, groups: number): Contents {
  return {
    deadRecords,
    deadElements,
    abandoned: new Map(abandoned.map(([queue, elements]) => [queue.toString(), elements])),
    groups: Array.from({ length: groups }, (_, index) => {
      const [records, bytes, waiting, inFlight] = counts.slice(index * 4)
      return { records, bytes, waiting, inFlight }
    }),
  }
}

function isEmpty({ deadElements, abandoned, groups }: Contents): boolean {
  return (
    deadElements + abandoned.size === 0 && groups.every(({ waiting, inFlight }) => waiting + inFlight === 0)
  )
}

function without<V>(map: ReadonlyMap<string, V>, name: string): ReadonlyMap<string, V> {
  return new Map([...map].filter(([key]) => key !== name))
}
