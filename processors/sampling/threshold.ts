/**
 * Consistent probability sampling as OpenTelemetry defines it: a record is kept when its 56 bits of
 * randomness are not below the rejection threshold, so that whoever decides about the same trace with the
 * same or a higher percentage keeps it too.
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export interface Threshold {
  /** Upper 24 bits. */
  readonly high: number
  /** Lower 32 bits. */
  readonly low: number
}

const LOW_BITS = 2 ** 32
const ALL_BITS = 2 ** 56

/** The threshold that keeps `percentage` (0 to 100) of all randomness values. */
export function thresholdOf(percentage: number): Threshold {
  const rejected = BigInt(Math.round((1 - percentage / 100) * ALL_BITS))
  return { high: Number(rejected >> 32n), low: Number(rejected & BigInt(LOW_BITS - 1)) }
}

export function isKept(high: number, low: number, threshold: Threshold): boolean {
  return high > threshold.high || (high === threshold.high && low >= threshold.low)
}

/** Spreads 32 bits over 56, every bit depending on all (the finaliser of MurmurHash3, twice). */
export function spread(hash: number): Threshold {
  return { high: mix(hash) >>> 8, low: mix(hash ^ 0x9e3779b9) >>> 0 }
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
