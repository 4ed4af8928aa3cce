/** So many are remembered: more than are under way when a client learns that one is closed. */
const REMEMBERED = 256

/** How a stream came to its end: RFC 9113, section 5.1. */
export const End = {
  /** Both sides had said all. */
  finished: 1,
  resetByClient: 2,
  /** The client may not know yet: what it sends is ignored. */
  resetByUs: 3,
} as const

export type End = (typeof End)[keyof typeof End]

/** The streams of a connection that were closed last. */
export class ClosedStreams {
  readonly #ids: number[] = []
  readonly #ends: End[] = []
  #next = 0

  add(stream: number, end: End): void {
    this.#ids[this.#next] = stream
    this.#ends[this.#next] = end
    this.#next = (this.#next + 1) % REMEMBERED
  }

  /** Undefined for a stream that never was open, or is forgotten. */
  endOf(stream: number): End | undefined {
    const at = this.#ids.lastIndexOf(stream)
    return at === -1 ? undefined : this.#ends[at]
  }
}
