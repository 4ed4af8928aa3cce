/** What a field counts besides its bytes: RFC 7541, section 4.1, and RFC 9113, section 6.5.2. */
const OVERHEAD_BYTES = 32

/** A header field, in characters of one byte. */
export class Field {
  readonly name: string
  readonly value: string

  constructor(name: string, value: string) {
    this.name = name
    this.value = value
  }

  /** Bytes, as tables and lists of headers count them. */
  get size(): number {
    return this.name.length + this.value.length + OVERHEAD_BYTES
  }
}
