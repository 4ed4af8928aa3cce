import type { Logger } from 'pino'
import type { Connector, Lease, Push } from '../component.ts'
import { LogBatch } from '../logs/batch.ts'
import type { GatherSettings } from './gather.ts'
import { gather } from './gather.ts'

export interface DrainOptions {
  readonly connector: Connector
  /** The pipeline, which is a group of its own at the connector. */
  readonly group: string
  readonly concurrency: number
  readonly gather: GatherSettings
  /** Processes and delivers: resolves once every record is delivered, dropped with a reason, or buried. */
  readonly deliver: Push
  readonly log: Logger
}

/** Moves what a connector holds to where a pipeline sends it, and acknowledges what has arrived. */
export class Drain {
  readonly #options: DrainOptions
  /** Stops taking more. */
  readonly #taking = new AbortController()
  /** Stops what is on its way. */
  readonly #delivering = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  #loop: Promise<void> | undefined

  constructor(options: DrainOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Takes no more, waits for what is on its way until the deadline, and gives the rest back. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#taking.abort()
    const giveUp = (): void => this.#delivering.abort(deadline.reason)
    deadline.addEventListener('abort', giveUp)
    if (deadline.aborted) giveUp()
    await this.#loop
    await Promise.all(this.#underWay)
    deadline.removeEventListener('abort', giveUp)
  }

  async #run(): Promise<void> {
    const { connector, group, concurrency, log } = this.#options
    while (!this.#taking.signal.aborted) {
      try {
        const leases = connector.leases(group, this.#taking.signal)
        for await (const run of gather(leases, this.#options.gather)) {
          const delivery = this.#deliver(run).finally(() => this.#underWay.delete(delivery))
          this.#underWay.add(delivery)
          if (this.#underWay.size >= concurrency) await Promise.race(this.#underWay)
        }
      } catch (error) {
        if (this.#taking.signal.aborted) return
        log.error({ err: error, group }, 'reading the buffer stopped; starting again')
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    }
  }

  async #deliver(leases: readonly Lease[]): Promise<void> {
    const { deliver, log } = this.#options
    const { signal } = this.#delivering
    let delivered = false
    try {
      const batch = LogBatch.concat(leases.map((lease) => lease.batch))
      await deliver(batch, signal)
      delivered = true
      batch.release()
    } catch (error) {
      if (!signal.aborted)
        log.error({ err: error }, 'unexpected error in the drain; the batch goes back to the buffer')
    }
    const settled = await Promise.allSettled(
      leases.map((lease) => (delivered ? lease.ack() : lease.release(signal.aborted ? 0 : RELEASE_DELAY_MS))),
    )
    for (const outcome of settled) {
      if (outcome.status === 'rejected') {
        log.warn({ err: outcome.reason }, 'the buffer did not take an acknowledgement; it will deliver again')
      }
    }
  }
}

/** After a fault of our own: long enough not to spin. */
const RELEASE_DELAY_MS = 1000
