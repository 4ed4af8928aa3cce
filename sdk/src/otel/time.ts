import type { HrTime, TimeInput } from '@opentelemetry/api'

/** A time as the OpenTelemetry API takes it, in nanoseconds of Unix time; undefined for what is none. */
export function nanosOfInput(time: TimeInput | undefined): bigint | undefined {
  if (time instanceof Date) return nanosOfMillis(time.getTime())
  if (Array.isArray(time)) return nanosOfHr(time)
  if (typeof time !== 'number') return undefined
  // Less than the start of the process is of `performance.now()`, as the SDK takes it.
  return nanosOfMillis(time < performance.timeOrigin ? time + performance.timeOrigin : time)
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
