import type { ServiceStatus } from '../define.ts'
import type { Snapshot, Which } from '../telemetry/metrics.ts'

/** What the supervising process tells a worker. `run` comes first. */
export type Order =
  | {
      readonly type: 'run'
      /** The config as the supervising process read it: the file may have changed since. */
      readonly file: string
      readonly text: string
      readonly name: string
      readonly pipelines: readonly string[]
    }
  | { readonly type: 'report'; readonly id: number; readonly metrics: Which }
  | { readonly type: 'stop'; readonly timeoutMs: number }

/** How a worker is. */
export interface Report {
  readonly type: 'report'
  /** Which question it answers; none for the last report of a worker that stops. */
  readonly id?: number
  readonly status: ServiceStatus
  readonly metrics: Snapshot
}

/** What a worker tells the supervising process. */
export type News = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string } | Report

/** The environment variable that makes a process a worker: its name. */
export const WORKER_VARIABLE = 'SLUICE_WORKER'
