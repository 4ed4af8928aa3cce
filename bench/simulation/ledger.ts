import { Histogram } from './histogram.ts'

/** Records that travel together, from the sender's queue to Elasticsearch. */
export interface Request {
  readonly records: number
  /** When the oldest record was written. */
  readonly oldestMs: number
  /** When it left the sender's queue. */
  readonly sentMs: number
  /** Who still has it: its sender until the answer, and every buffer element it is in. */
  copies: number
  delivered: boolean
  /** Counted as lost so. It may still turn up: a request whose sender gave up while it waited at a gateway. */
  lostAs?: Loss | undefined
}

/**
 * Where a record may be lost: in a sender whose queue is full, in a sender that gives up retrying, or with a Redis
 * primary whose replica was behind. Nowhere else.
 */
export type Loss = 'queue_full' | 'gave_up' | 'failover'
export type Refusal = 'watermark' | 'full' | 'busy' | 'unreachable'

/** Accounts for every record. All counts are records. */
export class Ledger {
  issued = 0
  delivered = 0
  /** Delivered once more, which Elasticsearch answers with 409. */
  duplicates = 0
  readonly lost: Record<Loss, number> = { queue_full: 0, gave_up: 0, failover: 0 }
  /** In requests sent back; a request counts each time. */
  readonly refused: Record<Refusal, number> = { watermark: 0, full: 0, busy: 0, unreachable: 0 }
  /** From the oldest record of a request to its delivery, in this window and in all. */
  readonly window = new Histogram()
  readonly delays = new Histogram()
  /** The sum of what the delivered records spent between sending and delivery, in record milliseconds. */
  travelMs = 0

  get allLost(): number {
    return this.lost.queue_full + this.lost.gave_up + this.lost.failover
  }

  get allRefused(): number {
    return this.refused.watermark + this.refused.full + this.refused.busy + this.refused.unreachable
  }

  /** One more has a copy. */
  keep(request: Request): void {
    request.copies++
    this.#found(request)
  }

  deliver(request: Request, now: number): void {
    if (request.delivered) {
      this.duplicates += request.records
      return
    }
    // A drain had it under way while the buffer lost it.
    this.#found(request)
    request.delivered = true
    this.delivered += request.records
    this.travelMs += (now - request.sentMs) * request.records
    this.window.add(now - request.oldestMs, request.records)
    this.delays.add(now - request.oldestMs, request.records)
  }

  /** One copy is gone. The last one of what is not delivered was the record's end. */
  drop(request: Request, loss: Loss): void {
    if (--request.copies > 0 || request.delivered) return
    this.lost[loss] += request.records
    request.lostAs = loss
  }

  #found(request: Request): void {
    if (request.lostAs === undefined) return
    this.lost[request.lostAs] -= request.records
    request.lostAs = undefined
  }
}
