import { EMPTY } from '../answer.ts'
import { SUCCESS, SUCCESS_STREAMS } from './answers.ts'
import type { FrameWriter } from './frame-writer.ts'
import { EMPTY_TABLE } from './hpack/encode.ts'
import { FIRST_WINDOW_BYTES, Flag, MAX_31_BITS, MAX_FRAME_BYTES } from './protocol.ts'
import type { Stream } from './stream.ts'

/** What one connection may have to be sent: answers that the windows of a client keep waiting, and those of one turn. */
const MAX_BYTES = 1024 * 1024

interface Message {
  readonly bytes: Buffer
  /** Bytes that have been sent. */
  sent: number
}

/** What is to be sent on a stream once the client has room for it. */
interface Waiting {
  readonly messages: Message[]
  trailers: Buffer | undefined
}

/** Whom the sending of a connection tells. */
export interface SendingHost {
  /** There is something to write. */
  changed(): void
  /** The client asks for more than it reads. */
  tooMuch(): void
}

/** What a client is sent of its streams, as its windows allow: RFC 9113, section 5.2. */
export class Sending {
  readonly #writer: FrameWriter
  readonly #host: SendingHost
  readonly #waiting = new Map<Stream, Waiting>()
  #waitingBytes = 0
  #window = FIRST_WINDOW_BYTES
  #initialWindow = FIRST_WINDOW_BYTES
  #tableToEmpty = false

  constructor(writer: FrameWriter, host: SendingHost) {
    this.#writer = writer
    this.#host = host
  }

  /** Of streams that will be opened. */
  get initialWindow(): number {
    return this.#initialWindow
  }

  /** The client remembers less than it would at first: the next block has to say that it need not remember anything. */
  emptyTable(): void {
    this.#tableToEmpty = true
  }

  headers(stream: Stream, block: Buffer): void {
    this.#writer.headers(stream.id, this.#blockOf(block), Flag.none)
    this.#host.changed()
  }

  /** The usual answer, where there is room for it and nothing stands before it. */
  success(stream: Stream): boolean {
    const size = EMPTY.length
    if (this.#tableToEmpty || stream.sendWindow < size || this.#window < size || this.#waiting.has(stream))
      return false
    stream.sendWindow -= size
    this.#window -= size
    this.#writer.copyFor(stream.id, SUCCESS, SUCCESS_STREAMS)
    this.#host.changed()
    stream.sent()
    return true
  }

  message(stream: Stream, bytes: Buffer): void {
    const message = { bytes, sent: 0 }
    const waiting = this.#waiting.get(stream)
    if (waiting !== undefined || !this.#send(stream, message)) {
      if (waiting === undefined) this.#waiting.set(stream, { messages: [message], trailers: undefined })
      else waiting.messages.push(message)
      this.#waitingBytes += bytes.length - message.sent
    }
    if (this.#waitingBytes + this.#writer.length > MAX_BYTES) this.#host.tooMuch()
  }

  /** Ends what is sent of a stream. */
  trailers(stream: Stream, block: Buffer): void {
    const waiting = this.#waiting.get(stream)
    if (waiting !== undefined) {
      waiting.trailers = block
      return
    }
    this.#writer.headers(stream.id, this.#blockOf(block), Flag.endStream)
    this.#host.changed()
    stream.sent()
  }

  reset(stream: number, code: number): void {
    this.#writer.resetStream(stream, code)
    this.#host.changed()
  }

  /** Lets the client send more on a stream, or on the connection, which is 0. */
  enlarge(stream: number, increment: number): void {
    this.#writer.windowUpdate(stream, increment)
    this.#host.changed()
  }

  /** Nothing more is sent on a stream. */
  forget(stream: Stream): void {
    const waiting = this.#waiting.get(stream)
    if (waiting === undefined) return
    for (const { bytes, sent } of waiting.messages) this.#waitingBytes -= bytes.length - sent
    this.#waiting.delete(stream)
  }

  /** The client takes more on the connection; false where that is more than may be. */
  enlarged(increment: number): boolean {
    this.#window += increment
    if (this.#window > MAX_31_BITS) return false
    for (const stream of this.#waiting.keys()) this.proceed(stream)
    return true
  }

  /** The client has chosen another first window, also for streams that are open; false where one becomes too large. */
  resize(initialWindow: number, streams: Iterable<Stream>): boolean {
    const increment = initialWindow - this.#initialWindow
    this.#initialWindow = initialWindow
    for (const stream of streams) if (!stream.enlarge(increment)) return false
    for (const stream of this.#waiting.keys()) this.proceed(stream)
    return true
  }

  /** There may be room now for what waits on a stream. */
  proceed(stream: Stream): void {
    const waiting = this.#waiting.get(stream)
    if (waiting === undefined) return
    const { messages, trailers } = waiting
    while (messages.length > 0) {
      const [message] = messages
      const before = message.sent
      const done = this.#send(stream, message)
      this.#waitingBytes -= message.sent - before
      if (!done) return
      messages.shift()
    }
    this.#waiting.delete(stream)
    if (trailers !== undefined) this.trailers(stream, trailers)
  }

  /** Sends what there is room for; false where that is not all. */
  #send(stream: Stream, message: Message): boolean {
    const { bytes } = message
    while (message.sent < bytes.length) {
      const room = Math.min(stream.sendWindow, this.#window, MAX_FRAME_BYTES, bytes.length - message.sent)
      if (room <= 0) return false
      this.#writer.data(stream.id, bytes, message.sent, message.sent + room)
      this.#host.changed()
      message.sent += room
      stream.sendWindow -= room
      this.#window -= room
    }
    return true
  }

  #blockOf(block: Buffer): Buffer {
    if (!this.#tableToEmpty) return block
    this.#tableToEmpty = false
    return Buffer.concat([EMPTY_TABLE, block])
  }
}
