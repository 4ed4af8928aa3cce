/** What a client may still send before it is told that it may send more: RFC 9113, section 5.2. */
export class ReceiveWindow {
  readonly #size: number
  /** Updates are worth a frame from here on: a client is not kept waiting while half of a window is left. */
  readonly #least: number
  #taken = 0
  #done = 0

  /** Bytes. */
  constructor(size: number) {
    this.#size = size
    this.#least = size / 2
  }

  /** Bytes have come; false where they are more than they might be. */
  take(bytes: number): boolean {
    this.#taken += bytes
    return this.#taken <= this.#size
  }

  /** Bytes that have come need no room any more. Gives by how much to enlarge the window now, mostly 0. */
  giveBack(bytes: number): number {
    this.#done += bytes
    if (this.#done < this.#least) return 0
    const increment = this.#done
    this.#taken -= increment
    this.#done = 0
    return increment
  }
}
