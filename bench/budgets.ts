/**
 * What is to be reached on two cores with everything on them, records of 1.3 KB. CPU and rates hold on the machine that
 * they were set on: they are compared with what was measured after correcting for slowness.
 */
export interface PathBudget {
  /** CPU µs per record, whole process. */
  readonly gateway?: number
  readonly drain?: number
  /** Gateway, drain and Redis. */
  readonly whole?: number
  readonly recordsPerSecond?: number
}

/** CPU µs of a drain per record, by mapping mode. */
export const DRAIN = { otel: 6, ecs: 8 }

/** By records per request. The Go collector with the same redaction takes 118 µs for the whole path. */
export const PATH: Readonly<Record<number, PathBudget | undefined>> = {
  500: { gateway: 6, drain: DRAIN.otel, whole: 12, recordsPerSecond: 120_000 },
  20: { whole: 16, recordsPerSecond: 90_000 },
}

/** Milliseconds, by share of the capacity that is sent. */
export const LATENCY: Readonly<Record<number, { readonly p50?: number; readonly p99: number } | undefined>> =
  {
    0.5: { p50: 100, p99: 500 },
    0.9: { p99: 2000 },
  }

/** Resident memory of a gateway, and of a drain. */
export const RSS_MIB = 200

/** From the start of the process until the first request is accepted. */
export const READY_SECONDS = 1

/** CPU µs per record of either side of a buffer, besides compressing and decompressing. */
export const HOP = 1.5

/** How many times more two processes do than one. */
export const SCALING = 1.7

/** CPU µs of turning a record into a document, by case of the suite "render". */
export const RENDER: Readonly<Record<string, number | undefined>> = {
  'otel, kernel': 3.5,
  'otel, TypeScript': 3.5,
  'ecs, TypeScript': 5,
}
