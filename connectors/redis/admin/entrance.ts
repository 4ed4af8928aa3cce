import type { Codec } from '../../../src/buffer/codec.ts'
import { packed } from '../../../src/buffer/letters.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { divideByResource, nameResources } from '../../../src/logs/resources.ts'
import type { RedisConfig } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import { confirmationOf } from '../connection/durability.ts'
import { DurableWriters } from '../connection/writers.ts'
import type { Naming } from '../stream/naming.ts'
import { Registry } from '../stream/registry.ts'
import { ENQUEUE } from './scripts.ts'

export interface EntranceOptions {
  readonly connection: Connection
  readonly naming: Naming
  readonly config: RedisConfig
  readonly codec: Codec
}

/** The way into the queue of one pipeline, as durable as pushes are, for records that come back from elsewhere. */
export class Entrance {
  readonly #options: EntranceOptions
  readonly #durable: DurableWriters
  readonly #registry: Registry

  constructor(options: EntranceOptions) {
    const { connection, naming, config } = options
    this.#options = options
    this.#durable = new DurableWriters((key) => connection.at('push', key), confirmationOf(config))
    this.#registry = new Registry({
      client: connection.at('push', naming.identity),
      clientOf: (key) => connection.reach('push', key),
      naming,
      maxStreams: config.max_streams,
    })
  }

  /** Each record goes to the stream that its resource belongs to. */
  async enqueue(group: string, batch: LogBatch): Promise<void> {
    const { fixed } = this.#options.naming.template
    if (fixed !== undefined) {
      await this.#write(fixed, group, batch)
      return
    }
    await this.#options.connection.reach('push', this.#options.naming.identity)
    const { naming } = this.#options
    const names = nameResources(batch, (resource) => naming.template.render(resource))
    const admitted = new Map<string, string>()
    for (const name of new Set(names)) admitted.set(name, await this.#registry.admit(name))
    const streams = names.map((name) => admitted.get(name) ?? name)
    for (const [stream, part] of divideByResource(batch, streams)) {
      await this.#write(stream, group, part)
      await this.#registry.confirm(stream)
    }
  }

  async #write(stream: string, group: string, batch: LogBatch): Promise<void> {
    const { naming, codec, config } = this.#options
    const keys = naming.keys(stream)
    const elements = packed(batch, codec, config.element_size)
    const args = elements.flatMap(({ bytes, records, foreign }) => [bytes, records, Number(foreign)])
    await this.#durable.at(keys.dead).run(ENQUEUE, [keys.queue(group), keys.stats(group)], args)
  }
}
