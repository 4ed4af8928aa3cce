/** `, did you mean "endpoint"?`, or the known names when none is near, or nothing when there are none. */
export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known].sort()
  const near = nearest(name, names)
  if (near !== undefined) return `, did you mean "${near}"?`
  return names.length > 0 ? `, known: ${names.join(', ')}` : ''
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let limit = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name, candidate)
    if (distance >= limit) continue
    best = candidate
    limit = distance
  }
  return best
}

/** Letters added, dropped, changed, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1))
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1)
    }
    before = above
    above = row
  }
  return above[b.length]
}
