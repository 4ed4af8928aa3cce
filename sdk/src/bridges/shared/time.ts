const MILLION = 1_000_000n

/** Greater numbers are no seconds but milliseconds: in seconds it is the year 5138. */
const MAX_SECONDS = 1e11
const MAX_MILLIS = 1e14
const MAX_MICROS = 1e17

/** Date and time, the digits of a second's fraction, and the zone: RFC 3339. */
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/

/**
 * When a record was logged, in nanoseconds of Unix time: of a number in seconds, milliseconds, microseconds or
 * nanoseconds, which its size tells, or of a text in RFC 3339. Undefined for what is neither.
 */
export function nanosOfTime(time: unknown): bigint | undefined {
  if (typeof time === 'number') return nanosOfNumber(time)
  const match = typeof time === 'string' ? ISO.exec(time) : null
  if (match === null) return undefined
  const [, seconds, fraction = '', zone] = match
  const millis = Date.parse(seconds + zone)
  return Number.isNaN(millis) || millis < 0
    ? undefined
    : BigInt(millis) * MILLION + BigInt(fraction.padEnd(9, '0'))
}

function nanosOfNumber(time: number): bigint | undefined {
  if (!(time > 0 && time < 1e19)) return undefined
  const millis =
    time < MAX_SECONDS ? time * 1000 : time < MAX_MILLIS ? time : time < MAX_MICROS ? time / 1e3 : time / 1e6
  const whole = Math.floor(millis)
  return BigInt(whole) * MILLION + BigInt(Math.round((millis - whole) * 1e6))
}
