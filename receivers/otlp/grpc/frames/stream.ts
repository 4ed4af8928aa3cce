import type { PeerCertificate } from 'node:tls'
import { EMPTY } from '../answer.ts'
import type { CallStream, Fields, StreamReader } from '../call-stream.ts'
import { STREAM_WINDOW_BYTES } from '../serve-connections.ts'
import { OK_BLOCK, RESPONSE_BLOCK } from './answers.ts'
import { End } from './closed-streams.ts'
import { encodeFields } from './hpack/encode.ts'
import { Kept } from './kept.ts'
import { ErrorCode, MAX_31_BITS } from './protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Sending } from './sending.ts'

/** What a stream asks of its connection. */
export interface StreamHost {
  readonly sending: Sending
  certificate(): PeerCertificate | undefined
  /** Content that had come and was held back has been read. */
  giveBack(bytes: number): void
  /** The stream is closed. */
  closed(stream: Stream, end: End): void
}

/** What is known of a stream by its headers. */
export interface Beginning {
  /** Bytes of content. */
  readonly announced: number | undefined
  /** Whether its client has nothing more to say. */
  readonly ended: boolean
}

/** A stream that a client has opened, from its headers on: RFC 9113, section 5.1. */
export class Stream implements CallStream {
  readonly copies = true
  readonly id: number
  readonly #host: StreamHost
  readonly #window = new ReceiveWindow(STREAM_WINDOW_BYTES)
  readonly #announced: number | undefined
  #reader: StreamReader | undefined
  #came = 0
  #reading = false
  /** What has come before anybody reads. */
  #kept: Kept | undefined
  #clientEnded: boolean
  #ended = false
  #answered = false
  #closed = false
  #aborted = false
  /** What the client lets us send; less than nothing where it has changed its mind. */
  sendWindow: number

  constructor(id: number, host: StreamHost, { announced, ended }: Beginning) {
    this.id = id
    this.#host = host
    this.#announced = announced
    this.#clientEnded = ended
    this.sendWindow = host.sending.initialWindow
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get closed(): boolean {
    return this.#closed
  }

  get answered(): boolean {
    return this.#answered
  }

  /** Whether the client has sent all it has: half-closed (remote). */
  get clientEnded(): boolean {
    return this.#clientEnded
  }

  certificate(): PeerCertificate | undefined {
    return this.#host.certificate()
  }

  open(reader: StreamReader): void {
    this.#reader = reader
  }

  read(): void {
    this.#reading = true
    const kept = this.#kept
    this.#kept = undefined
    if (kept !== undefined) {
      this.#reader?.data(kept.take())
      this.#host.giveBack(kept.length)
      this.giveBack(kept.length)
    }
    if (this.#clientEnded && !this.#closed) this.#reader?.end()
  }

  respond(): void {
    this.#answered = true
    this.#host.sending.headers(this, RESPONSE_BLOCK)
  }

  write(message: Buffer): void {
    this.#host.sending.message(this, message)
  }

  end(trailers: Fields): void {
    this.#host.sending.trailers(this, encodeFields(trailers))
  }

  succeed(message: Buffer): void {
    this.#answered = true
    const { sending } = this.#host
    if (message === EMPTY && sending.success(this)) return
    sending.headers(this, RESPONSE_BLOCK)
    sending.message(this, message)
    sending.trailers(this, OK_BLOCK)
  }

  refuse(fields: Fields): void {
    this.#answered = true
    this.#host.sending.trailers(this, encodeFields(fields))
    // Whatever of the request is still to come need not: RFC 9113, section 8.1.
    if (!this.#closed) this.#reset(ErrorCode.noError)
  }

  cancel(): void {
    this.#reset(ErrorCode.cancel)
  }

  /** All of the answer has been sent. */
  sent(): void {
    this.#ended = true
    if (this.#clientEnded) this.#close(End.finished)
  }

  /** DATA has come that takes so much of the window; false where there was not so much. */
  take(bytes: number): boolean {
    return this.#window.take(bytes)
  }

  /** DATA has been read. */
  giveBack(bytes: number): void {
    const increment = this.#window.giveBack(bytes)
    if (increment > 0 && !this.#clientEnded && !this.#closed) this.#host.sending.enlarge(this.id, increment)
  }

  /** A piece of content. Gives how much of it is held back. */
  data(piece: Buffer): number {
    this.#came += piece.length
    if (this.#announced !== undefined && this.#came > this.#announced) {
      this.fail(ErrorCode.protocolError)
      return 0
    }
    if (this.#reading) {
      this.#reader?.data(piece)
      return 0
    }
    this.#kept ??= new Kept()
    this.#kept.add(piece)
    return piece.length
  }

  /** The client has sent all it has. */
  clientEnd(): void {
    if (this.#announced !== undefined && this.#came !== this.#announced) {
      this.fail(ErrorCode.protocolError)
      return
    }
    this.#clientEnded = true
    if (this.#ended) this.#close(End.finished)
    else if (this.#reading) this.#reader?.end()
  }

  /** Enlarges the window for what we send; false where it becomes larger than any may be. */
  enlarge(increment: number): boolean {
    this.sendWindow += increment
    return this.sendWindow <= MAX_31_BITS
  }

  /** The client has done what it may not: RFC 9113, section 5.4.2. */
  fail(code: number): void {
    this.#aborted = !this.#ended
    this.#reset(code)
  }

  /** The client has given it up, or is gone. */
  resetByClient(): void {
    this.#aborted = !this.#ended
    this.#close(End.resetByClient)
  }

  #reset(code: number): void {
    if (this.#closed) return
    this.#host.sending.reset(this.id, code)
    this.#close(End.resetByUs)
  }

  #close(end: End): void {
    if (this.#closed) return
    this.#closed = true
    const kept = this.#kept?.length ?? 0
    this.#kept = undefined
    if (kept > 0) this.#host.giveBack(kept)
    this.#host.closed(this, end)
    this.#reader?.closed()
  }
}
