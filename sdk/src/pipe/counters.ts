import type { Batch } from './batch.ts'
import { type Amount, add, type Tally } from './tally.ts'

/** Why records are lost. */
export const DROP_REASONS = [
  /** The queue was full of records that are as severe, or the pipe ran out of memory. */
  'queue_full',
  /** Longer than any collector takes, or than the queue. */
  'too_large',
  /** The collector will not take the batch, whenever it comes. */
  'refused',
  /** The collector took the batch without some of its records. */
  'partial_success_rejected',
  /** The collector was away for longer than a batch is kept. */
  'retry_budget',
  /** Logged after, or left over from, the end of the pipe. */
  'shutdown',
  /** There was no room on disk for what had to go there. */
  'spill_full',
  /** What had to go to disk could not be written. */
  'spill_failed',
  /** What was on disk is damaged. */
  'spill_corrupt',
] as const

export type DropReason = (typeof DROP_REASONS)[number]

/** Records that are lost, all for the same reason and of the same severity. */
export interface Drop {
  readonly reason: DropReason
  readonly records: number
  /** Encoded; 0 where that is not known. */
  readonly bytes: number
  /** OTel severity number; 0 where that is not known. */
  readonly severity: number
}

/**
 * What became of the records. All count up from the creation of the pipe. With `waiting`, every record that `accept`
 * returned true for is sent, dropped or waiting, and so is what was found on disk from processes before.
 */
export interface Counters {
  /** Records that `accept` returned true for. */
  readonly accepted: number
  /** Records that the collector took, those from the disk included. */
  readonly sent: number
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Requests that were sent again. */
  readonly retried: number
  /** Records whose delivery was left to the disk. */
  readonly spilled: number
  /** Records of `sent` that came from the disk. */
  readonly replayed: number
}

/** The counters of one pipe, and who is told of drops. */
export class CounterBook implements Counters {
  accepted = 0
  sent = 0
  readonly dropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<
    DropReason,
    number
  >
  retried = 0
  spilled = 0
  replayed = 0
  readonly #onDrop: ((drop: Drop) => void) | undefined
  readonly #noticed: () => void
  /** What `onDrop` was not told yet. */
  readonly #untold = new Map<DropReason, Map<number, Amount>>()

  /** @param noticed Called with each drop, at once. */
  constructor(onDrop: ((drop: Drop) => void) | undefined, noticed: () => void) {
    this.#onDrop = onDrop
    this.#noticed = noticed
  }

  /** The collector took a batch but for some records of it. */
  take({ records, tally }: Batch, rejected: number): void {
    const lost = Math.max(0, Math.min(records, rejected))
    this.sent += records - lost
    // It does not say which; where all are of one severity, neither does it need to.
    const [severity] = tally.size === 1 ? tally.keys() : [0]
    this.drop('partial_success_rejected', severity ?? 0, lost, 0)
  }

  drop(reason: DropReason, severity: number, records: number, bytes: number): void {
    if (records === 0) return
    this.dropped[reason] += records
    this.#noticed()
    if (this.#onDrop === undefined) return
    // Later and together: a flood of drops costs little, and a callback that logs cannot call itself.
    if (this.#untold.size === 0) setImmediate(() => this.tell())
    let tally = this.#untold.get(reason)
    if (tally === undefined) this.#untold.set(reason, (tally = new Map()))
    add(tally, severity, records, bytes)
  }

  dropAll(reason: DropReason, tally: Tally): void {
    for (const [severity, { records, bytes }] of tally) this.drop(reason, severity, records, bytes)
  }

  /** Tells `onDrop` now: there may be no later. */
  tell(): void {
    const untold = [...this.#untold]
    this.#untold.clear()
    for (const [reason, tally] of untold) {
      for (const [severity, amount] of tally) {
        try {
          this.#onDrop?.({ reason, severity, ...amount })
        } catch {
          // The application's own affair.
        }
      }
    }
  }
}
