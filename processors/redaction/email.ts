import { type Finder, isDigit, isLetter } from './detector.ts'

const AT = 0x40
const DOT = 0x2e
const HYPHEN = 0x2d
/** RFC 5321 section 4.5.3.1: a local part has at most 64 octets, a domain 255. */
const MAX_LOCAL = 64
const MAX_DOMAIN = 255
const LOCAL = new Set(Buffer.from('._%+-'))

const inLocalPart = (code: number): boolean => isLetter(code) || isDigit(code) || LOCAL.has(code)
const inDomain = (code: number): boolean => isLetter(code) || isDigit(code) || code === DOT || code === HYPHEN

/**
 * Where the address around the `@` at `at` starts and ends, or undefined: a local part, and a domain whose last
 * label has two letters or more. Walks outwards from the sign, so that no input takes longer than its length.
 */
function addressAt(
  codeAt: (index: number) => number,
  at: number,
  from: number,
  to: number,
): [number, number] | undefined {
  let start = at
  while (start > from && at - start < MAX_LOCAL && inLocalPart(codeAt(start - 1))) start--
  if (start === at) return undefined
  let limit = at + 1
  while (limit < to && limit - at <= MAX_DOMAIN && inDomain(codeAt(limit))) limit++
  for (let end = limit; end > at + 3; ) {
    let label = end
    while (label > at + 1 && isLetter(codeAt(label - 1))) label--
    if (end - label >= 2 && codeAt(label - 1) === DOT && label - 1 > at + 1) return [start, end]
    // What ends in digits or a mark may have a top-level domain before that: `a@b.com.` or `a@b.com-1`.
    end = label === end ? end - 1 : label
  }
  return undefined
}

/** E-mail addresses. */
export const email: Finder = {
  detectors: ['email'],

  scan(bytes, start, end, found) {
    const codeAt = (index: number): number => bytes[index]
    for (let at = bytes.indexOf(AT, start); at !== -1 && at < end; at = bytes.indexOf(AT, at + 1)) {
      // Most of these bytes are part of a double: look for the shape of an address before the record is opened.
      if (inLocalPart(bytes[at - 1]) && addressAt(codeAt, at, start, end) !== undefined) found(at)
    }
  },

  redact(text, actions, count) {
    let at = text.indexOf('@')
    if (at === -1) return text
    const codeAt = (index: number): number => text.charCodeAt(index)
    const mask = actions.get('email') === 'mask' ? '[EMAIL]' : ''
    let result = ''
    let copied = 0
    for (; at !== -1; at = text.indexOf('@', at + 1)) {
      const address = addressAt(codeAt, at, copied, text.length)
      if (address === undefined) continue
      count('email')
      result += text.slice(copied, address[0]) + mask
      copied = address[1]
      at = Math.max(at, copied - 1)
    }
    return copied === 0 ? text : result + text.slice(copied)
  },
}
