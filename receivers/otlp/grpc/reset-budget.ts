import { Budget } from './budget.ts'

/** A client that gives up calls at its deadline does so now and then, with all its streams at once. */
const PER_SECOND = 33
const LEAST_BURST = 200
const WAVES = 2

/**
 * How many calls the client of a connection may reset before they are answered (CVE-2023-44487): each costs us more
 * than it costs the client, and no limit on concurrent streams counts them.
 */
export function resetBudget(maxConcurrentStreams: number): Budget {
  return new Budget(Math.max(LEAST_BURST, WAVES * maxConcurrentStreams), PER_SECOND)
}
