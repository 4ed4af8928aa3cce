/** RFC 5321 section 4.5.3.1: a local part has at most 64 octets, a domain 255. */
const MAX_LOCAL = 64
const MAX_DOMAIN = 255
const DOT = 0x2e
const HYPHEN = 0x2d
const LOCAL = new Set(Array.from('._%+-', (mark) => mark.charCodeAt(0)))

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
const inLocalPart = (code: number): boolean => isLetter(code) || isDigit(code) || LOCAL.has(code)
const inDomain = (code: number): boolean => isLetter(code) || isDigit(code) || code === DOT || code === HYPHEN

/**
 * Where the address around the `@` at `at` starts and ends: a local part, and a domain whose last label has two letters
 * or more. Walks outwards from the sign, so that no text takes longer than its length.
 */
function addressAt(text: string, at: number, from: number): [number, number] | undefined {
  let start = at
  while (start > from && at - start < MAX_LOCAL && inLocalPart(text.charCodeAt(start - 1))) start--
  if (start === at) return undefined
  let limit = at + 1
  while (limit < text.length && limit - at <= MAX_DOMAIN && inDomain(text.charCodeAt(limit))) limit++
  for (let end = limit; end > at + 3; ) {
    let label = end
    while (label > at + 1 && isLetter(text.charCodeAt(label - 1))) label--
    if (end - label >= 2 && text.charCodeAt(label - 1) === DOT && label - 1 > at + 1) return [start, end]
    // What ends in digits or a mark may have a top-level domain before that: `a@b.com.` or `a@b.com-1`.
    end = label === end ? end - 1 : label
  }
  return undefined
}

/** E-mail addresses. */
export function maskEmails(text: string): string {
  let at = text.indexOf('@')
  if (at === -1) return text
  let result = ''
  let copied = 0
  for (; at !== -1; at = text.indexOf('@', at + 1)) {
    const address = addressAt(text, at, copied)
    if (address === undefined) continue
    result += `${text.slice(copied, address[0])}[EMAIL]`
    copied = address[1]
    at = Math.max(at, copied - 1)
  }
  return copied === 0 ? text : result + text.slice(copied)
}
