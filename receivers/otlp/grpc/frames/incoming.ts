import { End } from './closed-streams.ts'
import { ConnectionError, protocolError } from './connection-error.ts'
import { ControlFrames, type FrameHead, judgePriority, type Receiving } from './control-frames.ts'
import type { FrameHandler } from './frame-reader.ts'
import { HeaderBlocks } from './header-blocks.ts'
import { ErrorCode, Flag, FrameType } from './protocol.ts'
import type { RequestFields } from './request-fields.ts'
import type { Stream } from './stream.ts'
import type { Streams } from './streams.ts'

/** What a client sends, frame by frame: RFC 9113, sections 5, 6 and 8.1. What breaks its rules is answered as they say. */
export class Incoming implements FrameHandler {
  readonly #to: Receiving
  readonly #streams: Streams
  readonly #blocks: HeaderBlocks
  readonly #control: ControlFrames
  readonly #head: FrameHead = { type: 0, flags: 0, id: 0, length: 0 }
  /** Of the DATA frame that is coming: where it goes, what it brings, and what of that is held back. */
  #receiving: Stream | undefined
  #content = 0
  #held = 0
  /** The stream whose header block is not complete, and the flags it began with; 0 for none. */
  #blockOf = 0
  #blockFlags = 0

  constructor(to: Receiving, streams: Streams, maxHeaderBytes: number) {
    this.#to = to
    this.#streams = streams
    this.#control = new ControlFrames(to, streams)
    this.#blocks = new HeaderBlocks(maxHeaderBytes)
  }

  get over(): boolean {
    return this.#to.over
  }

  /** Whether a header block is not complete. */
  get within(): boolean {
    return this.#blockOf !== 0
  }

  begin(type: number, flags: number, id: number, length: number): boolean {
    const head = this.#head
    head.type = type
    head.flags = flags
    head.id = id
    head.length = length
    // Section 3.4.
    if (!this.#control.greeted && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
      throw protocolError('the first frame is not SETTINGS')
    // Section 6.10.
    if (this.#blockOf !== 0 && (type !== FrameType.continuation || id !== this.#blockOf))
      throw protocolError('a header block is interrupted')
    if (type === FrameType.data) return this.#beginData()
    if (type <= FrameType.continuation) return true
    this.#to.charge()
    return false
  }

  frame(bytes: Buffer, start: number, end: number): void {
    const { type } = this.#head
    if (type === FrameType.headers) this.#headers(bytes, start, end)
    else if (type === FrameType.continuation) this.#continuation(bytes, start, end)
    else this.#control.read(this.#head, bytes, start, end)
  }

  /** Section 6.1. */
  #beginData(): boolean {
    const { id, length } = this.#head
    this.#receiving = undefined
    this.#content = this.#held = 0
    if (!this.#streams.take(length))
      throw new ConnectionError(ErrorCode.flowControlError, 'DATA is more than the connection had room for')
    const stream = this.#streams.at(id)
    if (stream === undefined) {
      this.#judgeClosed('DATA')
      return false
    }
    if (stream.clientEnded) stream.fail(ErrorCode.streamClosed)
    else if (!stream.take(length)) stream.fail(ErrorCode.flowControlError)
    else this.#receiving = stream
    return this.#receiving !== undefined
  }

  data(piece: Buffer): void {
    this.#content += piece.length
    const stream = this.#receiving
    if (stream !== undefined && !stream.closed) this.#held += stream.data(piece)
  }

  /** Padding counts as well, and what nobody wants any more. */
  dataEnd(): void {
    const stream = this.#receiving
    const ends = (this.#head.flags & Flag.endStream) !== 0
    if (this.#content === 0 && !ends && stream !== undefined) this.#to.charge()
    const read = this.#head.length - this.#held
    this.#streams.giveBack(read)
    if (stream === undefined || stream.closed) return
    if (ends) stream.clientEnd()
    else stream.giveBack(read)
  }

  /** A frame of a stream that is idle, or closed: section 5.1. */
  #judgeClosed(what: string): void {
    const { id, length } = this.#head
    if (this.#streams.isIdle(id)) throw protocolError(`${what} on a stream that is not open`)
    const end = this.#streams.endOf(id)
    if (end === End.finished)
      throw new ConnectionError(ErrorCode.streamClosed, `${what} on a stream that is closed`)
    if (end === End.resetByClient) this.#streams.fail(id, ErrorCode.streamClosed)
    // Data may have been under way when the stream was closed.
    if (end !== End.resetByUs || length === 0) this.#to.charge()
  }

  /** Section 6.2. */
  #headers(bytes: Buffer, start: number, end: number): void {
    const { id, flags } = this.#head
    const padded = (flags & Flag.padded) !== 0
    const priority = (flags & Flag.priority) !== 0
    if (end - start < (padded ? 1 : 0) + (priority ? 5 : 0))
      throw new ConnectionError(ErrorCode.frameSizeError, 'HEADERS are shorter than their fields')
    if (id % 2 === 0) throw protocolError('clients open streams with odd numbers')
    let at = start
    let last = end
    if (padded) last -= bytes[at++]
    if (priority) {
      judgePriority(id, bytes, at)
      at += 5
    }
    if (last < at) throw protocolError('the padding is longer than its frame')
    this.#blockFlags = flags
    if ((flags & Flag.endHeaders) !== 0) {
      this.#finish(this.#blocks.finish(bytes, at, last))
      return
    }
    this.#blockOf = id
    this.#blocks.add(bytes, at, last)
  }

  #continuation(bytes: Buffer, start: number, end: number): void {
    if (this.#blockOf === 0) throw protocolError('CONTINUATION continues nothing')
    if ((this.#head.flags & Flag.endHeaders) === 0) {
      this.#blocks.add(bytes, start, end)
      return
    }
    this.#blockOf = 0
    this.#finish(this.#blocks.finish(bytes, start, end))
  }

  #finish(fields: RequestFields): void {
    const { id } = this.#head
    const ended = (this.#blockFlags & Flag.endStream) !== 0
    const stream = this.#streams.at(id)
    if (stream !== undefined) this.#trailers(stream, fields, ended)
    else if (id <= this.#streams.last) {
      // Section 5.1.1: what was left out is closed, and was never open.
      if (this.#streams.endOf(id) === undefined)
        throw protocolError('streams are opened in the order of their numbers')
      this.#judgeClosed('HEADERS')
    } else {
      this.#streams.open(id, fields, ended)
    }
  }

  /** Section 8.1. */
  #trailers(stream: Stream, fields: RequestFields, ended: boolean): void {
    if (stream.clientEnded) stream.fail(ErrorCode.streamClosed)
    else if (!ended || fields.tooLarge || fields.problemOfTrailers !== undefined)
      stream.fail(ErrorCode.protocolError)
    else stream.clientEnd()
  }
}
