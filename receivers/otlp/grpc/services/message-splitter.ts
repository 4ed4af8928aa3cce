import { Code, Refusal } from '../../outcome.ts'
import { PREFIX_BYTES } from '../message-reader.ts'

/** What the methods here are asked fits into far less. */
const MAX_MESSAGE_BYTES = 64 * 1024

export interface Framed {
  readonly compressed: boolean
  readonly bytes: Buffer
}

/** Splits what comes of a call into its messages. */
export class MessageSplitter {
  #rest: Buffer = Buffer.alloc(0)

  /** Whether a message has begun and not come in full. */
  get inMessage(): boolean {
    return this.#rest.length > 0
  }

  /**
   * The messages that are complete with `chunk`.
   * @throws Refusal when one is too large, or nothing that gRPC knows
   */
  add(chunk: Buffer): Framed[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Framed[] = []
    while (rest.length >= PREFIX_BYTES) {
      const [flag] = rest
      if (flag > 1)
        throw new Refusal('malformed', `the message begins with ${flag}, not 0 or 1`, Code.internal)
      const length = rest.readUInt32BE(1)
      if (length > MAX_MESSAGE_BYTES) {
        throw new Refusal('too_large', `the message is larger than ${MAX_MESSAGE_BYTES} bytes`)
      }
      if (rest.length < PREFIX_BYTES + length) break
      messages.push({ compressed: flag === 1, bytes: rest.subarray(PREFIX_BYTES, PREFIX_BYTES + length) })
      rest = rest.subarray(PREFIX_BYTES + length)
    }
    this.#rest = rest
    return messages
  }
}
