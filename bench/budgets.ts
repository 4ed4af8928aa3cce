/** CPU microseconds per record of about 1.3 KB, whole process, that each stage is to stay under. */
export interface Budget {
  readonly gateway?: number
  readonly drain?: number
  readonly whole: number
  /** Records per second, with everything on two cores. */
  readonly throughput: number
}

/** By records per request. The Go collector with the same redaction takes 118 µs for the whole path. */
export const BUDGETS: Readonly<Record<number, Budget | undefined>> = {
  500: { gateway: 6, drain: 6, whole: 12, throughput: 120_000 },
  20: { whole: 16, throughput: 90_000 },
}
