import type { Documents } from './documents.ts'
import type { Ledger } from './ledger.ts'

/** What is wrong, by record number; all empty when every promise was kept. */
export interface Verdict {
  /** Acknowledged, and not delivered. */
  readonly lost: readonly number[]
  /** Delivered, and never issued. */
  readonly invented: readonly number[]
  /** Delivered with another payload than was issued. */
  readonly altered: readonly number[]
  /** Delivered under two ids: two documents of one record. */
  readonly doubled: readonly number[]
  /** Issued under the id of another record, whose document hides it. */
  readonly collided: readonly number[]
}

/** The verdict to expect. */
export const KEPT: Verdict = { lost: [], invented: [], altered: [], doubled: [], collided: [] }

/** Compares what a sender knows with what a sink holds: acknowledged ⊆ delivered ⊆ issued, each once and unchanged. */
export function judge(ledger: Ledger, documents: Documents): Verdict {
  const lost: number[] = []
  const invented: number[] = []
  const altered: number[] = []
  for (let seq = 0; seq < Math.max(ledger.issued, documents.end); seq++) {
    const delivered = documents.has(seq)
    if (!delivered) {
      if (seq < ledger.issued && ledger.ackedAt(seq) > 0) lost.push(seq)
    } else if (seq >= ledger.issued) invented.push(seq)
    else if (documents.hashOf(seq) !== ledger.hashOf(seq)) altered.push(seq)
  }
  return { lost, invented, altered, doubled: documents.doubled, collided: documents.collided }
}

/** Acknowledged records that are not delivered, or not yet. */
export function missing(ledger: Ledger, documents: Documents): number {
  let count = 0
  for (let seq = 0; seq < ledger.issued; seq++) {
    if (ledger.ackedAt(seq) > 0 && !documents.has(seq)) count++
  }
  return count
}
