import { setTimeout as sleep } from 'node:timers/promises'
import { documentsOf } from '../../support/otlp.ts'
import { consume, identities, named, type OpenBuffer } from './harness.ts'

const PUSHERS = 8
const PAUSE = 10

/** What became of what was acknowledged. */
export interface Outcome {
  readonly acknowledged: number
  readonly refused: number
  /** Acknowledged, and never delivered. */
  readonly lost: number
  /** Delivered more than once, under the same ids each time. */
  readonly doubled: number
  /** Documents with more than one id: what a repeat must not make. */
  readonly renamed: number
  /** Milliseconds before `end` in which all that was lost had been acknowledged; 0 when nothing was. */
  readonly window: number
}

/** Clients that push one batch after another, and come back with the same one when it is refused. */
export class Load {
  /** When each batch was acknowledged, by its name. */
  readonly #acknowledged = new Map<string, number>()
  readonly #delivered = new Map<string, string[]>()
  readonly #clients: readonly Promise<void>[]
  #refused = 0
  #running = true

  constructor(buffer: OpenBuffer, padding = 0) {
    const filling = 'x'.repeat(padding)
    this.#clients = Array.from({ length: PUSHERS }, async (_, client) => {
      for (let number = 0; this.#running; number++) await this.#push(buffer, `${client}-${number} ${filling}`)
    })
  }

  /** Milliseconds of the longest time without any acknowledgement. */
  get longestGap(): number {
    const times = [...this.#acknowledged.values()]
    return times.reduce((longest, at, index) => Math.max(longest, at - (times[index - 1] ?? at)), 0)
  }

  /** Waits for so many more acknowledgements. */
  async more(count: number, timeout = 30_000): Promise<void> {
    const began = performance.now()
    const before = this.#acknowledged.size
    while (this.#acknowledged.size < before + count) {
      if (performance.now() - began > timeout) {
        throw new Error(`${this.#acknowledged.size - before} of ${count} acknowledged within ${timeout} ms`)
      }
      await sleep(2)
    }
  }

  /** Ends the clients, once each knows what became of its last push. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#clients)
  }

  /** Takes what there is until nothing comes for a while. */
  async drain(buffer: OpenBuffer, quiet = 1_000): Promise<void> {
    const consumer = consume(buffer.connector)
    for (;;) {
      const lease = await consumer.next(quiet).catch(() => undefined)
      if (lease === undefined) break
      const ids = identities(lease.batch)
      documentsOf(lease.batch).forEach(({ body }, record) => {
        const name = String(body?.text).split(' ')[0]
        this.#delivered.set(name, [...(this.#delivered.get(name) ?? []), ids[record]])
      })
      await lease.ack()
    }
    await consumer.abort()
  }

  /** `end`: when the server went, as Date.now() tells. */
  outcome(end: number): Outcome {
    const lost = [...this.#acknowledged].filter(([name]) => !this.#delivered.has(name))
    const all = [...this.#delivered.values()]
    return {
      acknowledged: this.#acknowledged.size,
      refused: this.#refused,
      lost: lost.length,
      doubled: all.filter((ids) => ids.length > 1).length,
      renamed: all.filter((ids) => new Set(ids).size > 1).length,
      window: lost.length === 0 ? 0 : Math.max(0, end - Math.min(...lost.map(([, at]) => at))),
    }
  }

  async #push(buffer: OpenBuffer, name: string): Promise<void> {
    const batch = named(name)
    while (this.#running) {
      try {
        await buffer.push(batch)
        this.#acknowledged.set(name.split(' ')[0], Date.now())
        return
      } catch {
        this.#refused++
        await sleep(PAUSE)
      }
    }
  }
}

/** Prints what was measured: docs/redis.md shows it. */
export function print(what: string, figures: Outcome, more: Readonly<Record<string, number>> = {}): void {
  const all = Object.entries({ ...figures, ...more }).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`measured: ${what}: ${all.join(', ')}\n`)
}
