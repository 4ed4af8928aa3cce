import type { Logger } from 'pino'
import type { Codec } from '../../src/buffer/codec.ts'
import { poisonReason } from '../../src/buffer/poison.ts'
import { MissingKeyError } from '../../src/buffer/seal.ts'
import type { DeadLetters } from '../../src/component.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { readAddress } from './addressed.ts'
import type { StoredElement } from './segment.ts'

export interface BurialOptions {
  /** The pipeline. */
  readonly name: string
  /** The identity key, for elements that other tools have made. */
  readonly key: Buffer
  readonly codec: Codec
  /** How often an element goes out without success before it goes to the dead letters. */
  readonly maxDeliveries: number
  readonly log: Logger
  /** Keeps an element that cannot be opened. */
  readonly buryRaw: (stored: StoredElement, poison: boolean) => Promise<void>
  /** Keeps an element that was never delivered. */
  readonly buryPoison: (letters: DeadLetters) => Promise<void>
}

/** Opens elements, and buries those that a pipeline cannot deliver. */
export class Burial {
  readonly #options: BurialOptions

  constructor(options: BurialOptions) {
    this.#options = options
  }

  /** Opened anew each time it is lent: whoever had it may have edited the batch. `sealed` is what waits for its key. */
  open(stored: StoredElement, element: Buffer): LogBatch | 'sealed' | undefined {
    const { codec, key, log, name } = this.#options
    try {
      const batch = codec.open(element)
      batch.identify(key)
      return batch
    } catch (err) {
      if (err instanceof MissingKeyError) return 'sealed'
      const fields = { err, group: name, element: stored.position.elements }
      log.error(fields, 'an element is no batch: it goes to the dead letters as it is')
      return undefined
    }
  }

  /**
   * Buries what cannot be opened, and what went out too often: as it is where opening it for that went wrong too.
   * `failed` is to be tried again.
   */
  async bury(stored: StoredElement, failures: number): Promise<'buried' | 'sealed' | 'failed'> {
    const { name: pipeline, maxDeliveries, buryPoison, buryRaw, log } = this.#options
    const poison = failures >= maxDeliveries
    const fields = { group: pipeline, element: stored.position.elements, records: stored.records }
    try {
      const { element } = readAddress(stored.payload)
      const batch = failures === maxDeliveries ? this.open(stored, element) : undefined
      if (batch === 'sealed') return 'sealed'
      if (batch === undefined) await buryRaw({ ...stored, payload: element }, poison)
      else await buryPoison({ batch, pipeline, reason: poisonReason(failures) })
    } catch (err) {
      log.warn({ err, ...fields }, 'an element could not be buried yet')
      return 'failed'
    }
    if (poison) log.error(fields, 'an element was handed out too often without success: it is buried')
    return 'buried'
  }
}
