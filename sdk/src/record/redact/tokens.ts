/** `Authorization: Bearer …` (RFC 6750 section 2.1), in the three ways the scheme is written. */
const BEARER = /(?<![A-Za-z0-9])([Bb]earer|BEARER) {1,4}[A-Za-z0-9._~+/-]{8,}=*/g

export function maskBearerTokens(text: string): string {
  return text.includes('earer ') || text.includes('EARER ') ? text.replace(BEARER, '$1 [TOKEN]') : text
}

/** Every JSON Web Token starts with these: the base64url of `{"`. */
const JWT_START = 'eyJ'
const DOT = 0x2e
const HYPHEN = 0x2d
const UNDERSCORE = 0x5f
/** Shorter parts hold no header or claims. */
const MIN_PART = 8

const isBase64Url = (code: number): boolean =>
  ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
  (code >= 0x30 && code <= 0x39) ||
  code === HYPHEN ||
  code === UNDERSCORE

function endOfPart(text: string, start: number): number {
  let end = start
  while (end < text.length && isBase64Url(text.charCodeAt(end))) end++
  return end
}

/** JSON Web Tokens (RFC 7519), signed or not: header, claims, signature. No part of a text is looked at twice. */
export function maskJwts(text: string): string {
  let result = ''
  let copied = 0
  for (let start = text.indexOf(JWT_START); start !== -1; ) {
    const header = endOfPart(text, start)
    const claims = text.charCodeAt(header) === DOT ? endOfPart(text, header + 1) : header
    let next = header
    if (header - start >= MIN_PART && claims - header > MIN_PART) {
      const end = text.charCodeAt(claims) === DOT ? endOfPart(text, claims + 1) : claims
      result += `${text.slice(copied, start)}[JWT]`
      copied = next = end
    }
    start = text.indexOf(JWT_START, next)
  }
  return copied === 0 ? text : result + text.slice(copied)
}
