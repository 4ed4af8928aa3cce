/** The weight of a stream: that of the first pattern that fits, 1 where none does. `*` stands for any letters. */
export function weightOf(stream: string, weights: Readonly<Record<string, number>>): number {
  const fitting = Object.keys(weights).find((pattern) => fits(stream, pattern))
  return fitting === undefined ? 1 : weights[fitting]
}

/** In one pass: every part between stars is taken at its first place. */
function fits(text: string, pattern: string): boolean {
  const [first, ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === pattern
  let at = first.length
  if (!text.startsWith(first)) return false
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
