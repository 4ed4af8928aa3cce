/** Nanoseconds of Unix time out of finite milliseconds, whose fraction a product would lose. */
export function nanosOfMillis(millis: number): bigint {
  const whole = Math.floor(millis)
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((millis - whole) * 1e6))
}
