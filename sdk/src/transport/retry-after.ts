/**
 * What a `Retry-After` header asks for, milliseconds: seconds, or a date (RFC 9110, section 10.2.3).
 *
 * @returns Undefined where there is none, or one that says nothing.
 */
export function readRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
