/**
 * The value that a share `q` of all observations stays below, by the buckets of a histogram: upper bounds with the number
 * of observations up to each. Between two bounds it is guessed, above the last one it is the last one. Undefined when
 * there was no observation.
 */
export function quantile(q: number, buckets: readonly (readonly [number, number])[]): number | undefined {
  const sorted = buckets.toSorted(([a], [b]) => a - b)
  const wanted = q * (sorted.at(-1)?.[1] ?? 0)
  if (wanted === 0) return undefined
  let [lower, below] = [0, 0]
  for (const [upper, count] of sorted) {
    if (count >= wanted) {
      if (!Number.isFinite(upper)) return lower
      return lower + ((upper - lower) * (wanted - below)) / (count - below)
    }
    lower = upper
    below = count
  }
  return lower
}
