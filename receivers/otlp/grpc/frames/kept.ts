const NOTHING: Buffer = Buffer.alloc(0)
const FIRST_BYTES = 1024

/** Content that has come before anybody reads it. Frames may be of one byte each: it is copied, not collected. */
export class Kept {
  #bytes = NOTHING
  #length = 0

  /** How many bytes have been added. */
  get length(): number {
    return this.#length
  }

  add(piece: Buffer): void {
    const needed = this.#length + piece.length
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, needed, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#length += piece.copy(this.#bytes, this.#length)
  }

  /** All of it. Called once, when no more is added. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}
