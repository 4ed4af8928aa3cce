/** Nobody is left alone for longer, whatever it asks for: milliseconds. */
const LONGEST = 5 * 60_000
/** What is added by chance at most, as a share of the wait. */
const SPREAD = 0.25

/** How long to wait when a destination asks for `ms` milliseconds: as long, and not all who were asked the same. */
export function heeded(ms: number): number {
  return Math.min(ms, LONGEST) * (1 + SPREAD * Math.random())
}

/** What a `Retry-After` says, in milliseconds from now: it is seconds or a date (RFC 9110 section 10.2.3). */
export function retryAfterMs(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const milliseconds = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds)
}
