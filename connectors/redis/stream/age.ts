import { openElement } from '../../../src/buffer/element.ts'
import type { ConsumerOptions } from './consumer.ts'

/** Looking unpacks an element, so it is not done at every scrape. */
const INTERVAL = 5_000

/**
 * Shows how long the oldest batch has been in the buffer, as far as one consumer can see: the head of the queue
 * and what it holds itself.
 */
export class OldestAge {
  readonly #options: ConsumerOptions
  /** When the head of the queue was received; Infinity where nothing waits. */
  #headMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** `oldestHeldMs`: when the oldest batch on loan was received, or Infinity. */
  constructor(options: ConsumerOptions, oldestHeldMs: () => number) {
    this.#options = options
    options.context.metrics.gauge(
      'sluice_buffer_oldest_age_seconds',
      'How long ago the oldest batch in the buffer was received.',
      { group: options.group },
      () => {
        const oldest = Math.min(this.#headMs, oldestHeldMs())
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
    this.#headMs = Number.POSITIVE_INFINITY
  }

  async #look(): Promise<void> {
    const { client, keys, group } = this.#options
    try {
      const head = await client.command('LINDEX', [keys.queue(group), 0])
      this.#headMs = head === null ? Number.POSITIVE_INFINITY : openElement(head as Buffer).receivedMs
    } catch {
      // Whatever keeps it from being read, who takes it will meet and tell.
      this.#headMs = Number.POSITIVE_INFINITY
    }
  }
}
