import type {
  Amount,
  BufferAdmin,
  BufferStats,
  KeptLetter,
  QueueName,
  QueueStats,
  ReplayedElement,
} from '../../../src/buffer/admin.ts'
import type { Codec } from '../../../src/buffer/codec.ts'
import { recordsOf } from '../../../src/buffer/letters.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import type { RedisConfig } from '../config.ts'
import type { RedisClient } from '../connection/client.ts'
import type { Connection } from '../connection/connection.ts'
import { parseInfo } from '../connection/info.ts'
import type { Naming } from '../stream/naming.ts'
import { Entrance } from './entrance.ts'
import { DROP, PURGE, REPLAY, STATS } from './scripts.ts'

/** Dead letters read at once, and elements purged at once: some megabytes. */
const PAGE = 16
const PURGE_PAGE = 64

export interface RedisAdminOptions {
  readonly connection: Connection
  readonly naming: Naming
  readonly config: RedisConfig
  readonly codec: Codec
}

type GroupReply = [
  waiting: number,
  held: number,
  holders: Buffer[],
  records: number,
  bytes: number,
  pushed: number,
  acked: number,
]

/** Administers a buffer in Redis beside the gateways and drains at work. */
export class RedisAdmin implements BufferAdmin {
  readonly codec: Codec
  readonly elementBytes: number
  readonly #options: RedisAdminOptions
  /** Letters that were taken out here: what comes after them has moved up. */
  #taken = 0
  #entrance: Entrance | undefined

  constructor(options: RedisAdminOptions) {
    this.#options = options
    this.codec = options.codec
    this.elementBytes = options.config.element_size
  }

  async stats(): Promise<BufferStats> {
    const queues: QueueStats[] = []
    const dead: BufferStats['dead'][number][] = []
    for (const stream of await this.#streams()) {
      const [elements, records, bytes, ...groups] = await this.#read(stream)
      dead.push({ stream, elements, records, bytes })
      for (const [index, reply] of groups.entries()) {
        queues.push(await this.#queueStats(stream, this.#options.naming.groups[index], reply))
      }
    }
    return { queues, dead, room: await this.#room() }
  }

  async peek({ stream, group }: QueueName, limit: number): Promise<Buffer[]> {
    const queue = this.#options.naming.keys(stream).queue(group)
    const client = await this.#clientOf(queue)
    return (await client.command('LRANGE', [queue, 0, limit - 1])) as Buffer[]
  }

  async purge({ stream, group }: QueueName): Promise<Amount> {
    const keys = this.#options.naming.keys(stream)
    const client = await this.#clientOf(keys.dead)
    const amount = { elements: 0, records: 0, bytes: 0 }
    // What is pushed meanwhile is not chased.
    let left = Number(await client.command('LLEN', [keys.queue(group)]))
    while (left > 0) {
      const page = [Math.min(PURGE_PAGE, left)]
      const reply = await client.run(PURGE, [keys.queue(group), keys.stats(group)], page)
      const [elements, bytes, records] = reply as [number, number, number]
      if (elements === 0) break
      amount.elements += elements
      amount.bytes += bytes
      amount.records += records
      left -= elements
    }
    return amount
  }

  async *letters(): AsyncGenerator<KeptLetter, void, undefined> {
    for (const stream of await this.#streams()) {
      const { dead } = this.#options.naming.keys(stream)
      const client = await this.#clientOf(dead)
      let left = Number(await client.command('LLEN', [dead]))
      for (let index = 0; left > 0; ) {
        const page = Math.min(PAGE, left)
        const elements = (await client.command('LRANGE', [dead, index, index + page - 1])) as Buffer[]
        if (elements.length === 0) break
        const before = this.#taken
        for (const element of elements) yield { key: '', stream, element }
        left -= elements.length
        index += elements.length - (this.#taken - before)
      }
    }
  }

  async replay(
    { stream, element }: KeptLetter,
    queue: QueueName,
    elements: readonly ReplayedElement[],
  ): Promise<boolean> {
    const { naming, codec } = this.#options
    const { dead, deadStats } = naming.keys(stream)
    const client = await this.#clientOf(dead)
    const target = naming.keys(queue.stream)
    const pushed = elements.flatMap(({ bytes, records, foreign }) => [bytes, records, Number(foreign)])
    const reply = await client.run(
      REPLAY,
      [dead, deadStats, target.queue(queue.group), target.stats(queue.group)],
      [element, recordsOf(element, codec), ...pushed],
    )
    return this.#took(reply)
  }

  async drop({ stream, element }: KeptLetter): Promise<boolean> {
    const { naming, codec } = this.#options
    const { dead, deadStats } = naming.keys(stream)
    const client = await this.#clientOf(dead)
    return this.#took(await client.run(DROP, [dead, deadStats], [element, recordsOf(element, codec)]))
  }

  enqueue(group: string, batch: LogBatch): Promise<void> {
    this.#entrance ??= new Entrance(this.#options)
    return this.#entrance.enqueue(group, batch)
  }

  async close(): Promise<void> {
    this.#options.connection.close()
  }

  #clientOf(key: string): Promise<RedisClient> {
    return this.#options.connection.reach('admin', key)
  }

  #took(reply: unknown): boolean {
    if (reply !== 1) return false
    this.#taken++
    return true
  }

  async #streams(): Promise<readonly string[]> {
    const { naming } = this.#options
    const { fixed } = naming.template
    if (fixed !== undefined) return [fixed]
    const client = await this.#clientOf(naming.streams)
    const names = (await client.command('ZRANGE', [naming.streams, 0, -1])) as Buffer[]
    return names.map(String).toSorted()
  }

  async #read(stream: string) {
    const { naming } = this.#options
    const keys = naming.keys(stream)
    const client = await this.#clientOf(keys.dead)
    const groups = naming.groups.flatMap((group) => [
      keys.queue(group),
      keys.stats(group),
      keys.workers(group),
      keys.settled(group),
      keys.inflight(group),
    ])
    const reply = await client.run(STATS, [keys.dead, keys.deadStats, ...groups], [])
    return reply as [elements: number, records: number, bytes: number, ...groups: GroupReply[]]
  }

  async #queueStats(stream: string, group: string, reply: GroupReply): Promise<QueueStats> {
    const keys = this.#options.naming.keys(stream)
    const client = await this.#clientOf(keys.dead)
    const [waiting, held, holders, records, bytes, pushed, acked] = reply
    const lists = [keys.queue(group), ...holders.map((worker) => keys.inflight(group, String(worker)))]
    const heads = await Promise.all(lists.map((list) => client.command('LINDEX', [list, 0])))
    const times = heads.flatMap((head) => this.#receivedMs(head as Buffer | null))
    return {
      stream,
      group,
      elements: waiting + held,
      records: Math.max(0, records),
      bytes: Math.max(0, bytes),
      inFlight: held,
      oldestMs: times.length === 0 ? undefined : Math.min(...times),
      pushed,
      left: acked,
    }
  }

  #receivedMs(element: Buffer | null): number[] {
    if (element === null || element.length === 0) return []
    try {
      return [this.codec.open(element).receivedMs]
    } catch {
      // It cannot be opened: whoever takes it will say so.
      return []
    }
  }

  async #room(): Promise<BufferStats['room']> {
    const { config, naming } = this.#options
    try {
      const client = await this.#clientOf(naming.identity)
      const info = parseInfo(await client.command('INFO', ['memory']))
      const [used, max] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))]
      return max > 0 ? { used, limit: max * config.memory_high_watermark } : undefined
    } catch {
      // A user of Redis who may not ask.
      return undefined
    }
  }
}
