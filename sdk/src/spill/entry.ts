import type { Batch } from '../pipe/batch.ts'
import type { DropReason } from '../pipe/counters.ts'
import type { Segment } from './segment.ts'

/** Why a batch is not on disk. */
export type Failure = Extract<DropReason, 'spill_full' | 'spill_failed'>

/** A batch on its way to the disk, or there. */
export class Entry {
  readonly batch: Batch
  /** Bytes it takes on disk. */
  readonly size: number
  /** Resolves with whether it was stored. */
  readonly written: Promise<boolean>
  #state: 'writing' | 'stored' | Failure = 'writing'
  #resolve: (stored: boolean) => void = () => {}
  /** What its owner wanted done with it while it was being written. */
  wish: 'settle' | 'leave' | undefined
  segment: Segment | undefined
  /** Where in the segment. */
  offset = 0

  constructor(batch: Batch, size: number) {
    this.batch = batch
    this.size = size
    this.written = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get state(): 'writing' | 'stored' | Failure {
    return this.#state
  }

  store(segment: Segment, offset: number): void {
    this.#state = 'stored'
    this.segment = segment
    this.offset = offset
    this.#resolve(true)
  }

  fail(failure: Failure): void {
    this.#state = failure
    this.#resolve(false)
  }
}
