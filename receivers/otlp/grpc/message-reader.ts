import { Assembly, type AssemblyOptions } from '../assembly.ts'
import type { SizeLimit } from '../decompression/decompress.ts'
import type { Hold } from '../limits/in-flight.ts'
import { Code, Refusal } from '../outcome.ts'

/** One byte that says whether the message is compressed, four of its length. */
export const PREFIX_BYTES = 5

/**
 * Reads the one message that a unary call sends: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * Where DATA frames begin and end means nothing; even the prefix may come in pieces.
 */
export class MessageReader {
  readonly #limit: SizeLimit
  readonly #hold: Hold
  readonly #options: AssemblyOptions | undefined
  #prefixBytes = 0
  #flag = 0
  #length = 0
  #assembly: Assembly | undefined

  constructor(limit: SizeLimit, hold: Hold, options?: AssemblyOptions) {
    this.#limit = limit
    this.#hold = hold
    this.#options = options
  }

  /**
   * @throws Refusal as soon as the bytes cannot be one message within the limit
   * @throws RetryableError where there is no memory for it now
   */
  add(chunk: Buffer): void {
    let at = 0
    while (this.#prefixBytes < PREFIX_BYTES) {
      if (at === chunk.length) return
      this.#addToPrefix(chunk[at++])
    }
    if (at === chunk.length) return
    const assembly = this.#assembly
    if (assembly === undefined || chunk.length - at > assembly.missing) {
      throw new Refusal(
        'malformed',
        'a second message follows the first, in a unary call',
        Code.unimplemented,
      )
    }
    assembly.add(chunk, at)
  }

  /** Whether the message says that it is compressed, by the call's grpc-encoding. */
  get compressed(): boolean {
    return this.#flag === 1
  }

  /**
   * The message, when nothing follows it; it may be read until `giveBack`.
   * @throws Refusal when it has not come in full
   */
  finish(): Buffer {
    if (this.#prefixBytes === 0) {
      throw new Refusal('malformed', 'the call ended without a message', Code.unimplemented)
    }
    if (this.#assembly === undefined || this.#assembly.missing > 0) {
      throw new Refusal('malformed', 'the call ended before its message did', Code.unimplemented)
    }
    return this.#assembly.bytes
  }

  /** Gives back the memory that the message lies in. Nobody may read it any more. */
  giveBack(): void {
    this.#assembly?.giveBack()
  }

  #addToPrefix(byte: number): void {
    if (this.#prefixBytes++ > 0) this.#length = this.#length * 256 + byte
    else if (byte > 1)
      throw new Refusal('malformed', `the message begins with ${byte}, not 0 or 1`, Code.internal)
    else this.#flag = byte
    if (this.#prefixBytes < PREFIX_BYTES) return
    // Before anything is allocated for it.
    if (this.#length > this.#limit.bytes) throw this.#limit.exceeded()
    this.#assembly = new Assembly(this.#length, this.#hold, this.#options)
  }
}
