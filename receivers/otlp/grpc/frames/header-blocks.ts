import { copyToKeep } from '../../../../src/memory.ts'
import { ConnectionError } from './connection-error.ts'
import { HeaderDecoder } from './hpack/decoder.ts'
import { ErrorCode } from './protocol.ts'
import { RequestFields } from './request-fields.ts'

/** How much may come before it is read, in multiples of what it may be then: all of it has to be decoded. */
const BLOCK_FACTOR = 4
/** Frames of one block: CONTINUATION without end costs its sender next to nothing (CVE-2024-27316). */
const MAX_FRAMES = 16
/** Blocks that are remembered are no longer. */
const REMEMBERED_BYTES = 4096

interface Remembered {
  readonly block: Buffer
  readonly fields: RequestFields
  /** What the decoder remembered then. */
  readonly changes: number
}

/**
 * Puts the header blocks of a connection together and reads them: RFC 9113, section 4.3. Clients send the same block
 * again and again; where reading it changed nothing, and nothing has changed since, it means the same.
 */
export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder()
  readonly #maxBytes: number
  #pieces: Buffer[] = []
  #bytes = 0
  #remembered: Remembered | undefined

  /** `maxBytes`: of all fields of a block. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * A piece of a block, of which more is to come.
   * @throws ConnectionError where that is too much
   */
  add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start
    if (this.#bytes > this.#maxBytes * BLOCK_FACTOR || this.#pieces.length === MAX_FRAMES)
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'the header fields are too large')
    this.#pieces.push(copyToKeep(bytes.subarray(start, end)))
  }

  /**
   * The last piece of a block, mostly the only one.
   * @throws ConnectionError where the block is not valid
   */
  finish(bytes: Buffer, start: number, end: number): RequestFields {
    if (this.#pieces.length === 0) return this.#read(bytes, start, end)
    this.add(bytes, start, end)
    const block = Buffer.concat(this.#pieces, this.#bytes)
    this.#pieces = []
    this.#bytes = 0
    return this.#read(block, 0, block.length)
  }

  #read(bytes: Buffer, start: number, end: number): RequestFields {
    const before = this.#decoder.changes
    const known = this.#remembered
    if (known?.changes === before && known.block.compare(bytes, start, end) === 0) return known.fields
    const fields = new RequestFields(this.#maxBytes)
    this.#decoder.decode(bytes, start, end, (field) => fields.add(field))
    if (this.#decoder.changes === before && end - start <= REMEMBERED_BYTES) {
      const block = copyToKeep(bytes.subarray(start, end))
      this.#remembered = { block, fields, changes: before }
    }
    return fields
  }
}
