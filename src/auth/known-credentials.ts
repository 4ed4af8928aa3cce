import { createHmac, randomBytes } from 'node:crypto'

/**
 * What is known of credentials, for a while and of so many at most. It holds no credential, only keyed hashes: what
 * the time of a search tells of those is worth nothing.
 */
export class KnownCredentials<Known> {
  readonly #key = randomBytes(32)
  readonly #entries = new Map<string, { readonly known: Known; readonly until: number }>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(credential: string): Known | undefined {
    const entry = this.#entries.get(this.#hash(credential))
    return entry !== undefined && entry.until > Date.now() ? entry.known : undefined
  }

  /** `until`: epoch milliseconds. */
  set(credential: string, known: Known, until: number): void {
    const hash = this.#hash(credential)
    this.#entries.delete(hash)
    if (this.#entries.size >= this.#most) {
      const [oldest] = this.#entries.keys()
      this.#entries.delete(oldest)
    }
    this.#entries.set(hash, { known, until })
  }

  forget(credential: string): void {
    this.#entries.delete(this.#hash(credential))
  }

  clear(): void {
    this.#entries.clear()
  }

  #hash(credential: string): string {
    return createHmac('sha256', this.#key).update(credential).digest('base64')
  }
}
