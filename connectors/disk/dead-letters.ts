import { join } from 'node:path'
import { packElement } from '../../src/buffer/element.ts'
import type { DeadLetters as Letters } from '../../src/component.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { DiskConfig } from './config.ts'
import { Log } from './log.ts'
import { BEGINNING } from './position.ts'
import type { StoredElement } from './segment.ts'

const DIRECTORY = 'dead'

/** Keeps what no destination will take, in a log of its own that nothing is deleted from. */
export class DeadLetters {
  readonly #log: Log
  readonly #config: DiskConfig
  readonly #context: ComponentContext

  private constructor(log: Log, config: DiskConfig, context: ComponentContext) {
    this.#log = log
    this.#config = config
    this.#context = context
  }

  static async open(
    config: DiskConfig,
    context: ComponentContext,
    lost: (bytes: number) => void,
  ): Promise<DeadLetters> {
    const log = await Log.open({
      directory: join(config.directory, DIRECTORY),
      segmentBytes: config.segment_size,
      atLeast: BEGINNING,
      log: context.log,
      lost,
    })
    return new DeadLetters(log, config, context)
  }

  /** Log records that are kept. */
  get records(): number {
    return this.#log.end.records - this.#log.start.records
  }

  /** Resolves once the letters, which must have been identified, are durable. */
  async bury({ batch, reason, pipeline }: Letters): Promise<void> {
    const pieces = batch.encode(this.#config.element_size, { reason, pipeline, buriedMs: Date.now() })
    const appended = pieces.map(({ bytes, records }) =>
      this.#log.append({ bytes: packElement(bytes, this.#config.compression), records }),
    )
    await Promise.all(appended)
    this.#count(batch.size, pipeline)
  }

  /** Resolves once an element is durable that could not be opened: just as it was. */
  async buryRaw({ payload, records }: StoredElement, pipeline: string): Promise<void> {
    await this.#log.append({ bytes: payload, records })
    this.#count(records, pipeline)
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #count(records: number, pipeline: string): void {
    this.#context.metrics
      .counter('sluice_dead_letter_log_records_total', 'Log records put in the dead-letter queue.', {
        pipeline,
      })
      .inc(records)
  }
}
