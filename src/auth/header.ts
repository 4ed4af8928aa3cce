import type { IncomingHttpHeaders } from 'node:http'

/** What follows the scheme in a header such as `Authorization: Bearer …`; undefined where it says something else. */
export function credentialOf(headers: IncomingHttpHeaders, name: string, scheme: string): string | undefined {
  const value = headers[name]
  if (typeof value !== 'string') return undefined
  if (scheme === '') return value.trim() || undefined
  // The case of a scheme means nothing: RFC 9110, section 11.1.
  if (value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return undefined
  return value[scheme.length] === ' ' ? value.slice(scheme.length).trim() || undefined : undefined
}
