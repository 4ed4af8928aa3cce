import type { RunnerTask } from 'vitest'
import type { Documents } from './documents.ts'
import type { Ledger } from './ledger.ts'
import type { Verdict } from './oracle.ts'

/** What a case came to: records, but for the seconds. */
export interface Figures {
  readonly case: string
  readonly seconds: number
  readonly issued: number
  readonly acknowledged: number
  /** Each attempt counts. */
  readonly refused: number
  readonly delivered: number
  /** Delivered again under the same id: answered with 409, and harmless. */
  readonly repeated: number
  readonly doubled: number
  readonly lost: number
  /** What else was measured. */
  readonly more: Readonly<Record<string, number | string>>
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figures
  }
}

export interface Case {
  readonly name: string
  readonly ledger: Ledger
  readonly documents: Documents
  readonly verdict: Verdict
  readonly more?: Figures['more']
}

/** Starts the clock of a case; what is returned hands its figures over to the reporter. */
export function stopwatch(task: Readonly<RunnerTask>): (result: Case) => void {
  const started = performance.now()
  return ({ name, ledger, documents, verdict, more = {} }) => {
    task.meta.figures = {
      case: name,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      issued: ledger.issued,
      acknowledged: ledger.acknowledged,
      refused: ledger.refused,
      delivered: documents.size,
      repeated: documents.repeated,
      doubled: verdict.doubled.length,
      lost: verdict.lost.length,
      more,
    }
  }
}
