import { median, slope } from './statistics.ts'

export interface Growth {
  /** In the unit of the values. */
  readonly perMinute: number
  /** Growing on like this, it would take more than ten times as long as was watched to double. */
  readonly flat: boolean
}

/** A process takes its memory in the beginning: that part is left out. */
const SETTLED_AFTER = 1 / 3
const FLAT_SHARE = 0.1

/** How values taken every so many seconds grow, once they have settled. */
export function growthOf(values: readonly number[], everySeconds: number): Growth {
  const settled = values.slice(Math.floor(values.length * SETTLED_AFTER))
  const perSample = slope(settled)
  return {
    perMinute: (perSample * 60) / everySeconds,
    flat: perSample * values.length <= FLAT_SHARE * median(settled),
  }
}
