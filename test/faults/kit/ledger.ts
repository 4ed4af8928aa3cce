import { makePayload } from './payload.ts'

/** A request whose records are in the ledger. */
export interface Issued {
  readonly first: number
  readonly count: number
  readonly bytes: Buffer
}

/** What a sender knows: every record it issued, with the hash of its payload, and when it was acknowledged. */
export class Ledger {
  #issued = 0
  #acknowledged = 0
  #hashes = new Uint32Array(2 ** 16)
  /** Milliseconds since 1970; 0: never. */
  #ackedAt = new Float64Array(2 ** 16)
  /** How often records were refused, by the answer. */
  readonly refusals = new Map<string, number>()

  get issued(): number {
    return this.#issued
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Records in requests that were refused; each attempt counts. */
  get refused(): number {
    return [...this.refusals.values()].reduce((sum, count) => sum + count, 0)
  }

  /** A request of records that nobody has issued before. */
  issue(count: number, bodyLength?: number): Issued {
    const first = this.#issued
    const { bytes, hashes } = makePayload(first, count, bodyLength)
    this.#issued += count
    while (this.#hashes.length < this.#issued) this.#grow()
    this.#hashes.set(hashes, first)
    return { first, count, bytes }
  }

  acknowledge({ first, count }: Pick<Issued, 'first' | 'count'>, now = Date.now()): void {
    this.#ackedAt.fill(now, first, first + count)
    this.#acknowledged += count
  }

  refuse({ count }: Pick<Issued, 'count'>, answer: string): void {
    this.refusals.set(answer, (this.refusals.get(answer) ?? 0) + count)
  }

  /** When a record was acknowledged, milliseconds since 1970, or 0. */
  ackedAt(seq: number): number {
    return this.#ackedAt[seq]
  }

  hashOf(seq: number): number {
    return this.#hashes[seq]
  }

  #grow(): void {
    const [hashes, ackedAt] = [this.#hashes, this.#ackedAt]
    this.#hashes = new Uint32Array(hashes.length * 2)
    this.#hashes.set(hashes)
    this.#ackedAt = new Float64Array(ackedAt.length * 2)
    this.#ackedAt.set(ackedAt)
  }
}
