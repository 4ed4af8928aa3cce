import { type Finder, isDigit, isLetter } from './detector.ts'

/** `Authorization: Bearer …` (RFC 6750 section 2.1), in the three ways the scheme is written. */
const BEARER = /(?<![A-Za-z0-9])([Bb]earer|BEARER) {1,4}[A-Za-z0-9._~+/-]{8,}=*/g
const SCHEMES = ['Bearer ', 'bearer ', 'BEARER '] as const

export const bearerToken: Finder = {
  detectors: ['bearer_token'],

  scan(bytes, start, end, found) {
    for (const scheme of SCHEMES) {
      let at = bytes.indexOf(scheme, start, 'latin1')
      for (; at !== -1 && at < end; at = bytes.indexOf(scheme, at + 1, 'latin1')) found(at)
    }
  },

  redact(text, actions, count) {
    if (!text.includes('earer ') && !text.includes('EARER ')) return text
    return text.replace(BEARER, (_, scheme: string) => {
      count('bearer_token')
      return actions.get('bearer_token') === 'mask' ? `${scheme} [TOKEN]` : ''
    })
  },
}

/** Every JSON Web Token starts with these: the base64url of `{"`. */
const JWT_START = 'eyJ'
const CAPITAL_J = 0x4a
const DOT = 0x2e
const HYPHEN = 0x2d
const UNDERSCORE = 0x5f
/** Shorter parts hold no header or claims. */
const MIN_PART = 8

const isBase64Url = (code: number): boolean =>
  isLetter(code) || isDigit(code) || code === HYPHEN || code === UNDERSCORE

function endOfPart(text: string, start: number): number {
  let end = start
  while (end < text.length && isBase64Url(text.charCodeAt(end))) end++
  return end
}

/** JSON Web Tokens (RFC 7519), signed or not: header, claims, signature. */
export const jwt: Finder = {
  detectors: ['jwt'],

  scan(bytes, start, end, found) {
    // The capital is the rarest of the three letters, and looking for a byte is much faster than for a text.
    for (
      let at = bytes.indexOf(CAPITAL_J, start);
      at !== -1 && at < end;
      at = bytes.indexOf(CAPITAL_J, at + 1)
    ) {
      if (bytes[at - 1] === 0x79 && bytes[at - 2] === 0x65) found(at)
    }
  },

  redact(text, actions, count) {
    const mask = actions.get('jwt') === 'mask' ? '[JWT]' : ''
    let result = ''
    let copied = 0
    for (let start = text.indexOf(JWT_START); start !== -1; ) {
      const header = endOfPart(text, start)
      const claims = text.charCodeAt(header) === DOT ? endOfPart(text, header + 1) : header
      let next = header
      if (header - start >= MIN_PART && claims - header > MIN_PART) {
        const end = text.charCodeAt(claims) === DOT ? endOfPart(text, claims + 1) : claims
        count('jwt')
        result += text.slice(copied, start) + mask
        copied = next = end
      }
      start = text.indexOf(JWT_START, next)
    }
    return copied === 0 ? text : result + text.slice(copied)
  },
}
