import { Budget } from '../budget.ts'

const BURST = 1000
const PER_SECOND = 100
/** What an answered call is worth: a client may say something of its windows with each. */
export const FRAMES_PER_CALL = 10

/**
 * How many frames a client may send that ask for work and bring nothing: settings, priorities, window updates, empty
 * data, what belongs to no open stream (CVE-2019-9512 to 9518). RFC 9113, section 10.5, wants their use limited.
 */
export function frameBudget(): Budget {
  return new Budget(BURST, PER_SECOND)
}
