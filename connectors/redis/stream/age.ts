import { MissingKeyError } from '../../../src/buffer/seal.ts'
import type { ConsumerOptions } from './consumer.ts'

/** Looking unpacks an element, so it is not done at every scrape. */
const INTERVAL = 5_000
/** Queues looked at each time, in turn. */
const AT_ONCE = 8

export interface Seen {
  /** Streams that may have something waiting. */
  queues(): readonly string[]
  /** When the oldest batch on loan was received, or Infinity. */
  oldestHeldMs(): number
}

/**
 * Shows how long the oldest batch has been in the buffer, as far as one consumer can see: the heads of the queues
 * and what it holds itself.
 */
export class OldestAge {
  readonly #options: ConsumerOptions
  readonly #seen: Seen
  /** When the head of each queue was received, where something waits. */
  #heads = new Map<string, number>()
  #turn = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: ConsumerOptions, seen: Seen) {
    this.#options = options
    this.#seen = seen
    options.context.metrics.gauge(
      'sluice_buffer_oldest_age_seconds',
      'How long ago the oldest batch in the buffer was received.',
      { group: options.group },
      () => {
        const oldest = Math.min(...this.#heads.values(), seen.oldestHeldMs())
        return Number.isFinite(oldest) ? Math.max(0, Date.now() - oldest) / 1000 : 0
      },
      'max',
    )
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), INTERVAL).unref()
    void this.#look()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#heads.clear()
  }

  async #look(): Promise<void> {
    const names = this.#seen.queues()
    this.#heads = new Map([...this.#heads].filter(([name]) => names.includes(name)))
    for (let i = 0; i < Math.min(AT_ONCE, names.length); i++) {
      await this.#lookAt(names[this.#turn++ % names.length])
    }
  }

  async #lookAt(name: string): Promise<void> {
    const { clientOf, codec, naming, group } = this.#options
    const queue = naming.keys(name).queue(group)
    try {
      const client = await clientOf(queue)
      const head = await client.command('LINDEX', [queue, 0])
      if (head === null) this.#heads.delete(name)
      else this.#heads.set(name, codec.open(head as Buffer).receivedMs)
    } catch (error) {
      // It waits for its key, and grows older.
      if (error instanceof MissingKeyError) return
      this.#heads.delete(name)
      // Whatever keeps it from being read, who takes it will meet and tell.
    }
  }
}
