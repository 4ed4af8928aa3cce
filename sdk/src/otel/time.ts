import type { HrTime, TimeInput } from '@opentelemetry/api'

/** A smaller number is of `performance.now()`: no process has run for three years, and Unix time passed it in 1973. */
const MAX_UPTIME = 1e11

/** A time as the OpenTelemetry API takes it, in nanoseconds of Unix time; undefined for what is none. */
export function nanosOfInput(time: TimeInput | undefined): bigint | undefined {
  if (time instanceof Date) return nanosOfMillis(time.getTime())
  if (Array.isArray(time)) return nanosOfHr(time)
  if (typeof time !== 'number') return undefined
  return nanosOfMillis(time < MAX_UPTIME ? time + performance.timeOrigin : time)
}

/** Seconds and nanoseconds; undefined for the 0 of an SDK that does not know. */
export function nanosOfHr([seconds, nanos]: HrTime): bigint | undefined {
  if (!(seconds >= 0 && nanos >= 0) || seconds + nanos === 0) return undefined
  return BigInt(Math.floor(seconds)) * 1_000_000_000n + BigInt(Math.floor(nanos))
}

function nanosOfMillis(millis: number): bigint | undefined {
  if (!(millis >= 0 && millis < 1e14)) return undefined
  const whole = Math.floor(millis)
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((millis - whole) * 1e6))
}
