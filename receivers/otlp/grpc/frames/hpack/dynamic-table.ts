import type { Field } from './field.ts'

/** The fields that a peer has told to remember: RFC 7541, sections 2.3.2 and 4. The newest has the position 0. */
export class DynamicTable {
  /** A ring: the newest is at `#newest`, older ones follow. */
  #ring: (Field | undefined)[] = []
  #newest = 0
  #count = 0
  #bytes = 0
  #capacity: number
  #changes = 0

  /** `capacity`: bytes as `Field.size` counts them. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** How often it has changed: who saw the same number saw the same fields. */
  get changes(): number {
    return this.#changes
  }

  at(position: number): Field | undefined {
    return position < this.#count ? this.#ring[(this.#newest + position) % this.#ring.length] : undefined
  }

  set capacity(capacity: number) {
    this.#changes++
    this.#capacity = capacity
    this.#evict(0)
  }

  /** A field that is larger than the table empties it. */
  add(field: Field): void {
    this.#changes++
    const { size } = field
    this.#evict(size)
    if (size > this.#capacity) return
    if (this.#count === this.#ring.length) this.#grow()
    this.#newest = (this.#newest + this.#ring.length - 1) % this.#ring.length
    this.#ring[this.#newest] = field
    this.#count++
    this.#bytes += size
  }

  /** Makes room for `coming` bytes. */
  #evict(coming: number): void {
    while (this.#count > 0 && this.#bytes + coming > this.#capacity) {
      const oldest = (this.#newest + --this.#count) % this.#ring.length
      this.#bytes -= this.#ring[oldest]?.size ?? 0
      this.#ring[oldest] = undefined
    }
  }

  #grow(): void {
    const fields = Array.from({ length: this.#count }, (_, position) => this.at(position))
    this.#ring = [...fields, ...Array<undefined>(Math.max(8, fields.length)).fill(undefined)]
    this.#newest = 0
  }
}
