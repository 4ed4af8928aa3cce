import { writeLetter } from '../../../src/buffer/label.ts'
import { poisonReason } from '../../../src/buffer/poison.ts'
import type { ComponentContext } from '../../../src/define.ts'
import type { BoundCounter } from '../../../src/telemetry/metrics.ts'
import type { RedisConfig } from '../config.ts'
import { REAP } from './scripts.ts'
import type { ClientOf } from './streams.ts'
import type { WorkerOptions } from './worker.ts'

interface ReaperOptions extends Omit<WorkerOptions, 'client'> {
  readonly clientOf: ClientOf
  readonly config: RedisConfig
  readonly context: ComponentContext
}

/**
 * Puts back what workers of a group hold in one stream that give no sign of life. Every consumer runs one, so that as long as
 * one lives nothing stays with the dead for longer than four thirds of `worker_timeout`.
 */
export class Reaper {
  readonly #options: ReaperOptions
  readonly #reaped: BoundCounter
  #timer: NodeJS.Timeout | undefined

  constructor(options: ReaperOptions) {
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
    const { clientOf, keys, group, config, context, log } = this.#options
    const lists = [
      keys.workers(group),
      keys.settled(group),
      keys.inflight(group),
      keys.queue(group),
      keys.stats(group),
      keys.dead,
      keys.deadStats,
    ]
    const reason = poisonReason(config.max_deliveries)
    const letter = writeLetter({ reason, pipeline: group, buriedMs: Date.now(), stream: keys.stream })
    try {
      const client = await clientOf(keys.dead)
      const reply = await client.run(REAP, lists, [config.worker_timeout, config.max_deliveries, letter])
      const [workers, elements, buried, records] = reply as [number, number, number, number]
      if (workers === 0) return
      this.#reaped.inc(elements)
      context.log.warn(
        { group, stream: keys.stream, workers, elements },
        'put back what workers held that gave no sign of life',
      )
      if (buried > 0) this.#options.onPoison(buried, records)
    } catch (err) {
      log.warn('reap', { err, group }, 'workers could not be checked')
    }
  }
}
