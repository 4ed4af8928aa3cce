/** Timers of Node end at once above 2^31 ms; nobody means to be left alone for longer than this either. */
const LONGEST_WAIT = 15 * 60_000
/** What waits for the time that a server named comes spread over so much of it, at most a second. */
const SPREAD = 0.1
const MOST_SPREAD = 1000

export interface BackoffLimits {
  readonly initialMillis: number
  readonly maxMillis: number
}

/**
 * How long to wait before the next attempt, milliseconds: any time up to a ceiling that doubles with each attempt (full
 * jitter), and not before the time that the server named.
 *
 * @param attempt Attempts that failed before this one.
 */
export function backoff(
  { initialMillis, maxMillis }: BackoffLimits,
  attempt: number,
  namedMillis: number | undefined,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMillis, initialMillis * 2 ** Math.min(attempt, 30))
  const own = random() * ceiling
  if (namedMillis === undefined) return Math.min(LONGEST_WAIT, own)
  const spread = random() * Math.min(MOST_SPREAD, namedMillis * SPREAD)
  return Math.min(LONGEST_WAIT, Math.max(own, namedMillis + spread))
}
