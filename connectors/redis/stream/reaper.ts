import type { BoundCounter } from '../../../src/telemetry/metrics.ts'
import type { ConsumerOptions } from './consumer.ts'
import { REAP } from './scripts.ts'

/**
 * Puts back what workers of a group hold that give no sign of life. Every consumer runs one, so that as long as
 * one lives nothing stays with the dead for longer than four thirds of `worker_timeout`.
 */
export class Reaper {
  readonly #options: ConsumerOptions
  readonly #reaped: BoundCounter
  #timer: NodeJS.Timeout | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
    const { group, context } = options
    this.#reaped = context.metrics.counter(
      'sluice_buffer_reaped_elements_total',
      'Elements put back into the queue because who held them gave no sign of life.',
      { group },
    )
  }

  start(): void {
    this.#timer = setInterval(() => void this.#reap(), this.#options.config.worker_timeout / 3).unref()
    void this.#reap()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #reap(): Promise<void> {
    const { client, keys, group, config, context, log } = this.#options
    const lists = [keys.workers(group), keys.settled(group), keys.inflight(group), keys.queue(group)]
    try {
      const reply = await client.run(REAP, lists, [config.worker_timeout])
      const [workers, elements] = reply as [number, number]
      if (workers === 0) return
      this.#reaped.inc(elements)
      context.log.warn({ group, workers, elements }, 'put back what workers held that gave no sign of life')
    } catch (err) {
      log.warn('reap', { err, group }, 'workers could not be checked')
    }
  }
}
