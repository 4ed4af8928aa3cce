/** What the time is, in milliseconds since 1970. */
export type Clock = () => number

/**
 * The time of the machine, except that it never goes back: when the clock is set back, it runs on from where it was. It
 * leaps ahead with the clock, and after the machine has slept.
 */
export function forwardClock(wall: Clock = Date.now, running: Clock = () => performance.now()): Clock {
  let offset = Number.NEGATIVE_INFINITY
  return () => {
    const ran = running()
    offset = Math.max(offset, wall() - ran)
    return offset + ran
  }
}
