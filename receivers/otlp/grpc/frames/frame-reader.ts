import { ConnectionError } from './connection-error.ts'
import {
  ErrorCode,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  PREFACE,
} from './protocol.ts'

/** What is told of the frames of a connection, in their order. Each may throw a ConnectionError. */
export interface FrameHandler {
  /** Whether nobody wants to know of any further frame. */
  readonly over: boolean
  /** A frame begins. Gives whether its payload is wanted; that of DATA comes as `data`, and then `dataEnd`. */
  begin(type: number, flags: number, stream: number, length: number): boolean
  /** A piece of the content of a DATA frame, without its padding. */
  data(piece: Buffer): void
  dataEnd(): void
  /** Any other frame. Its payload lies between `start` and `end`, and may be read until this returns. */
  frame(bytes: Buffer, start: number, end: number): void
}

/** Where the next byte belongs. */
const State = { preface: 0, header: 1, payload: 2 } as const

/**
 * Finds the frames in what comes of a connection: RFC 9113, sections 3.4 and 4.1. A frame that is whole in a piece is
 * read there; DATA goes on piece by piece as it comes.
 */
export class FrameReader {
  readonly #handler: FrameHandler
  #state: (typeof State)[keyof typeof State] = State.preface
  /** Bytes of the preface, of a frame header or of a payload that have come before. */
  #partial: Buffer = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES)
  #came = 0
  #type = 0
  /** Bytes of the payload that have not come yet, and how many of them are padding. */
  #left = 0
  #padding = 0
  #padded = false
  #wanted = false
  #frames = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** How many frames have begun. */
  get frames(): number {
    return this.#frames
  }

  /** Whether the last of them has not come to its end. */
  get within(): boolean {
    return this.#state === State.payload || this.#came > 0
  }

  /** @throws ConnectionError where it is not HTTP/2, or a handler says so */
  read(chunk: Buffer): void {
    let at = this.#state === State.preface ? this.#readPreface(chunk) : 0
    while (at < chunk.length && !this.#handler.over) {
      if (this.#state === State.header) at = this.#readHeader(chunk, at)
      else if (this.#type === FrameType.data) at = this.#readData(chunk, at)
      else at = this.#readPayload(chunk, at)
    }
  }

  #readPreface(chunk: Buffer): number {
    const size = Math.min(chunk.length, PREFACE.length - this.#came)
    if (PREFACE.compare(chunk, 0, size, this.#came, this.#came + size) !== 0)
      throw new ConnectionError(ErrorCode.protocolError, 'this is not HTTP/2')
    this.#came += size
    if (this.#came === PREFACE.length) {
      this.#came = 0
      this.#state = State.header
    }
    return size
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#came === 0 && chunk.length - at >= FRAME_HEADER_BYTES) {
      this.#begin(chunk, at)
      return at + FRAME_HEADER_BYTES
    }
    const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES - this.#came)
    this.#came += chunk.copy(this.#partial, this.#came, at, end)
    if (this.#came === FRAME_HEADER_BYTES) {
      this.#came = 0
      this.#begin(this.#partial, 0)
    }
    return end
  }

  #begin(bytes: Buffer, at: number): void {
    this.#frames++
    const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]
    const flags = bytes[at + 4]
    this.#type = bytes[at + 3]
    if (length > MAX_FRAME_BYTES)
      throw new ConnectionError(ErrorCode.frameSizeError, `a frame is longer than ${MAX_FRAME_BYTES}`)
    this.#wanted = this.#handler.begin(this.#type, flags, bytes.readUInt32BE(at + 5) & MAX_31_BITS, length)
    this.#left = length
    this.#padding = 0
    this.#padded = this.#type === FrameType.data && (flags & Flag.padded) !== 0
    if (this.#padded && length === 0)
      throw new ConnectionError(ErrorCode.frameSizeError, 'DATA has no room for the length of its padding')
    if (length > 0) this.#state = State.payload
    else if (this.#type === FrameType.data) this.#handler.dataEnd()
    else if (this.#wanted) this.#handler.frame(bytes, at, at)
  }

  #readData(chunk: Buffer, from: number): number {
    let at = from
    if (this.#padded) {
      this.#padded = false
      this.#padding = chunk[at++]
      if (this.#padding > --this.#left)
        throw new ConnectionError(ErrorCode.protocolError, 'the padding is longer than its frame')
    }
    const end = Math.min(chunk.length, at + this.#left)
    const content = Math.min(end, at + this.#left - this.#padding)
    if (content > at && this.#wanted) this.#handler.data(chunk.subarray(at, content))
    this.#left -= end - at
    if (this.#left > 0) return end
    this.#state = State.header
    this.#handler.dataEnd()
    return end
  }

  #readPayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    const size = end - at
    const whole = this.#came === 0 && size === this.#left
    if (this.#wanted && !whole) this.#keep(chunk, at, end)
    this.#left -= size
    if (this.#left > 0) return end
    this.#state = State.header
    const came = this.#came
    this.#came = 0
    if (whole && this.#wanted) this.#handler.frame(chunk, at, end)
    else if (this.#wanted) {
      const bytes = this.#partial
      this.#partial = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES)
      this.#handler.frame(bytes, 0, came)
    }
    return end
  }

  /** Makes room for what has come, not for what was announced. */
  #keep(chunk: Buffer, at: number, end: number): void {
    const needed = this.#came + end - at
    if (needed > this.#partial.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(MAX_FRAME_BYTES, needed * 2))
      this.#partial.copy(larger, 0, 0, this.#came)
      this.#partial = larger
    }
    this.#came += chunk.copy(this.#partial, this.#came, at, end)
  }
}
