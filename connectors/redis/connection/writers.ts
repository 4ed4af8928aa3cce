import type { RedisClient } from './client.ts'
import type { Confirmation } from './durability.ts'
import { DurableWriter } from './durable.ts'

/** The writers of a connector: one for each server that holds some of its streams. */
export class DurableWriters {
  readonly #clientOf: (key: string) => RedisClient
  readonly #confirmation: Confirmation | undefined
  readonly #writers = new Map<RedisClient, DurableWriter>()
  #started = false

  /** Without a confirmation, the answer to a script is enough. */
  constructor(clientOf: (key: string) => RedisClient, confirmation: Confirmation | undefined) {
    this.#clientOf = clientOf
    this.#confirmation = confirmation
  }

  /** The writer for the server that holds `key`. */
  at(key: string): DurableWriter {
    const client = this.#clientOf(key)
    let writer = this.#writers.get(client)
    if (writer === undefined) {
      writer = new DurableWriter(client, this.#confirmation)
      this.#writers.set(client, writer)
      // What it finds, it says to whoever writes.
      if (this.#started) void writer.start().catch(() => {})
    }
    return writer
  }

  /** Why writes to one of the servers are refused, where it was seen not to be durable. */
  get trouble(): string | undefined {
    return [...this.#writers.values()].find(({ trouble }) => trouble !== undefined)?.trouble
  }

  /** Looks at the server that holds `key`, and at others when something is first written there. Throws where its settings will never do. */
  async start(key: string): Promise<void> {
    const writer = this.at(key)
    this.#started = true
    await writer.start()
  }

  stop(): void {
    for (const writer of this.#writers.values()) writer.stop()
  }
}
