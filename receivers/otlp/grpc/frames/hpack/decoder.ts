import { ConnectionError } from '../connection-error.ts'
import { ErrorCode } from '../protocol.ts'
import { DynamicTable } from './dynamic-table.ts'
import { Field } from './field.ts'
import { huffmanText } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

/** What a peer may have us remember, unless it is told otherwise: RFC 9113, section 6.5.2. */
const TABLE_BYTES = 4096
/** Representations of fields, by their first bits: RFC 7541, section 6. */
const INDEXED = 0x80
const WITH_INDEXING = 0x40
const SIZE_UPDATE = 0x20
const HUFFMAN = 0x80
/** More than anything here may be; it takes four bytes after the first. */
const MAX_INTEGER = 2 ** 28
const MAX_SHIFT = 28

/** Reads the header blocks of one peer, in their order: RFC 7541. */
export class HeaderDecoder {
  readonly #table = new DynamicTable(TABLE_BYTES)
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** How often what it remembers has changed: a block that changed nothing means the same until something does. */
  get changes(): number {
    return this.#table.changes
  }

  /**
   * Reads a block, which lies between `start` and `end`, and gives its fields to `take`.
   * @throws ConnectionError where it is not valid: nothing that follows could be understood
   */
  decode(bytes: Buffer, start: number, end: number, take: (field: Field) => void): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    let begins = true
    while (this.#at < end) {
      const first = bytes[this.#at]
      if ((first & INDEXED) !== 0) take(this.#field(this.#integer(7)))
      else if ((first & WITH_INDEXING) !== 0) {
        const field = this.#literal(6)
        this.#table.add(field)
        take(field)
      } else if ((first & SIZE_UPDATE) === 0) take(this.#literal(4))
      else {
        this.#resize(begins)
        continue
      }
      begins = false
    }
  }

  #resize(begins: boolean): void {
    const capacity = this.#integer(5)
    if (!begins) throw wrong('a table size follows a field')
    if (capacity > TABLE_BYTES) throw wrong(`a table of ${capacity} bytes is more than ${TABLE_BYTES}`)
    this.#table.capacity = capacity
  }

  #field(index: number): Field {
    const field =
      index < STATIC_TABLE.length ? STATIC_TABLE[index] : this.#table.at(index - STATIC_TABLE.length)
    if (index === 0 || field === undefined) throw wrong(`there is no field ${index}`)
    return field
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits)
    const name = index === 0 ? this.#text() : this.#field(index).name
    return new Field(name, this.#text())
  }

  /** Section 5.2. */
  #text(): string {
    if (this.#at >= this.#end) throw wrong('the block ends before a text')
    const coded = (this.#bytes[this.#at] & HUFFMAN) !== 0
    const length = this.#integer(7)
    const start = this.#at
    if (length > this.#end - start) throw wrong('a text is longer than its block')
    this.#at += length
    if (!coded) return this.#bytes.toString('latin1', start, this.#at)
    const text = huffmanText(this.#bytes, start, this.#at)
    if (text === undefined) throw wrong('a text is not in the Huffman code')
    return text
  }

  /** Section 5.1. `prefixBits` of the next byte belong to it. */
  #integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1
    let value = this.#bytes[this.#at++] & most
    if (value < most) return value
    for (let shift = 0; shift < MAX_SHIFT; shift += 7) {
      if (this.#at >= this.#end) throw wrong('the block ends within a number')
      const byte = this.#bytes[this.#at++]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > MAX_INTEGER) break
        return value
      }
    }
    throw wrong('a number is too large')
  }
}

function wrong(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.compressionError, message)
}
