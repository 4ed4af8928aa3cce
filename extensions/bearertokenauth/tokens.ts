import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../../src/component.ts'

export interface Labelled {
  readonly token: string
  readonly tenant?: string | undefined
}

const LABEL = /^(\S+)(?:\s+(\S.{0,127}))?$/

/** The tokens of a file: one a line, with the tenant after it. Throws where a line is neither, or none is a token. */
export function parseTokens(text: string): Labelled[] {
  const tokens: Labelled[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    const [, token, tenant] = LABEL.exec(trimmed) ?? []
    if (token === undefined)
      throw new Error(`filename: line ${index + 1} is no token, or its tenant is too long`)
    tokens.push({ token, tenant })
  }
  if (tokens.length === 0) throw new Error('filename: the file holds no token')
  return tokens
}

/**
 * Tokens that are taken, kept as keyed hashes. A token is found by its hash and compared in constant time: neither
 * tells anything of a token that is nearly right.
 */
export class Tokens {
  readonly #key = randomBytes(32)
  readonly #identities = new Map<string, { readonly hash: Buffer; readonly identity: Identity }>()

  constructor(tokens: readonly Labelled[]) {
    for (const [index, { token, tenant }] of tokens.entries()) {
      const hash = this.#hash(token)
      const identity =
        tenant === undefined ? { subject: `token ${index + 1}` } : { subject: `token ${index + 1}`, tenant }
      this.#identities.set(hash.toString('base64'), { hash, identity })
    }
  }

  find(token: string): Identity | undefined {
    const hash = this.#hash(token)
    const found = this.#identities.get(hash.toString('base64'))
    return found !== undefined && timingSafeEqual(hash, found.hash) ? found.identity : undefined
  }

  #hash(token: string): Buffer {
    return createHmac('sha256', this.#key).update(token).digest()
  }
}
