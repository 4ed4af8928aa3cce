import type { HrTime, TimeInput } from '@opentelemetry/api'
import { nanosOfMillis } from '../record/nanos.ts'

/** A smaller number is of `performance.now()`: no process has run for three years, and Unix time passed it in 1973. */
const MAX_UPTIME = 1e11

/** A time as the OpenTelemetry API takes it, in nanoseconds of Unix time; undefined for what is none. */
export function nanosOfInput(time: TimeInput | undefined): bigint | undefined {
  if (time instanceof Date) return nanosIfTime(time.getTime())
  if (Array.isArray(time)) return nanosOfHr(time)
  if (typeof time !== 'number') return undefined
  return nanosIfTime(time < MAX_UPTIME ? time + performance.timeOrigin : time)
}

/** Seconds and nanoseconds; undefined for the 0 of an SDK that does not know. */
export function nanosOfHr([seconds, nanos]: HrTime): bigint | undefined {
  if (!(seconds >= 0 && nanos >= 0) || seconds + nanos === 0) return undefined
  return BigInt(Math.floor(seconds)) * 1_000_000_000n + BigInt(Math.floor(nanos))
}

function nanosIfTime(millis: number): bigint | undefined {
  return millis >= 0 && millis < 1e14 ? nanosOfMillis(millis) : undefined
}
