/** Nobody is left alone for longer, whatever it asks for: milliseconds. */
const LONGEST = 5 * 60_000
/** What is added by chance at most, as a share of the wait. */
const SPREAD = 0.25

/** How long to wait when a destination asks for `ms` milliseconds: as long, and not all who were asked the same. */
export function heeded(ms: number): number {
  return Math.min(ms, LONGEST) * (1 + SPREAD * Math.random())
}
