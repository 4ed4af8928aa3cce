/** Comparing with every key beats hashing up to here; beyond, it would be quadratic. */
const FEW_KEYS = 64

/**
 * The keys written so far in each open object, to find those that are there twice: JSON allows them,
 * Elasticsearch refuses the document. Objects nest, so marks are released in reverse order.
 */
export class KeyStack {
  #signatures = new Int32Array(FEW_KEYS)
  #starts = new Int32Array(FEW_KEYS)
  #ends = new Int32Array(FEW_KEYS)
  #size = 0
  /** Keys of an object with many, as text, by its mark. */
  readonly #many = new Map<number, Set<string>>()

  /** Begins an object. */
  mark(): number {
    return this.#size
  }

  /** Ends the object that began at `mark`. */
  release(mark: number): void {
    this.#size = mark
    if (this.#many.size > 0) this.#many.delete(mark)
  }

  /** Forgets all objects, however far they got. */
  clear(): void {
    this.#size = 0
    this.#many.clear()
  }

  /** Notes the key in `bytes`; false when the object that began at `mark` has it already. */
  add(mark: number, bytes: Buffer, start: number, end: number): boolean {
    const size = this.#size
    if (size - mark >= FEW_KEYS) return this.#addToMany(mark, bytes, start, end)
    const length = end - start
    const signature =
      length === 0
        ? 0
        : (length << 16) ^ (bytes[start] << 8) ^ bytes[end - 1] ^ (bytes[start + (length >> 1)] << 4)
    for (let i = mark; i < size; i++) {
      if (this.#signatures[i] === signature && this.#ends[i] - this.#starts[i] === length) {
        if (sameBytes(bytes, this.#starts[i], start, length)) return false
      }
    }
    if (size === this.#signatures.length) this.#grow()
    this.#signatures[size] = signature
    this.#starts[size] = start
    this.#ends[size] = end
    this.#size = size + 1
    return true
  }

  #addToMany(mark: number, bytes: Buffer, start: number, end: number): boolean {
    let keys = this.#many.get(mark)
    if (keys === undefined) {
      keys = new Set()
      for (let i = mark; i < this.#size; i++)
        keys.add(bytes.toString('latin1', this.#starts[i], this.#ends[i]))
      this.#many.set(mark, keys)
    }
    const before = keys.size
    return keys.add(bytes.toString('latin1', start, end)).size > before
  }

  #grow(): void {
    const grown = (table: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(table.length * 2)
      larger.set(table)
      return larger
    }
    this.#signatures = grown(this.#signatures)
    this.#starts = grown(this.#starts)
    this.#ends = grown(this.#ends)
  }
}

function sameBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
