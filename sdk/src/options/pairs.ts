/**
 * Reads `key=value,key2=value2` with percent-encoding, as `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS`
 * have it: W3C Baggage without properties. Undefined where any of it is wrong: the specification discards the whole.
 */
export function parsePairs(text: string): Record<string, string> | undefined {
  const pairs: [string, string][] = []
  for (const member of text.split(',')) {
    if (member.trim() === '') continue
    const equals = member.indexOf('=')
    const key = decoded(member.slice(0, Math.max(equals, 0)))
    const value = decoded(member.slice(equals + 1))
    if (key === undefined || key === '' || value === undefined) return undefined
    pairs.push([key, value])
  }
  return Object.fromEntries(pairs)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim())
  } catch {
    return undefined
  }
}
