import { readSettings } from './client-settings.ts'
import { End } from './closed-streams.ts'
import { ConnectionError } from './connection-error.ts'
import type { FrameHandler } from './frame-reader.ts'
import { HeaderBlocks } from './header-blocks.ts'
import { ErrorCode, Flag, FrameType, MAX_31_BITS } from './protocol.ts'
import type { RequestFields } from './request-fields.ts'
import type { Stream } from './stream.ts'
import type { Streams } from './streams.ts'

/** What frames that belong to no stream do to a connection. */
export interface Receiving {
  readonly over: boolean
  /** The client has begun: its first settings have come. */
  greet(): void
  /** Its settings have been taken. */
  settled(): void
  pinged(bytes: Buffer, start: number): void
  answered(bytes: Buffer, start: number): void
  /** The client will open no more streams. */
  left(): void
  /** A frame has come that asks for work and brings nothing. */
  charge(): void
}

/** What a client sends, frame by frame: RFC 9113, sections 5 and 6. What breaks its rules is answered as they say. */
export class Incoming implements FrameHandler {
  readonly #to: Receiving
  readonly #streams: Streams
  readonly #blocks: HeaderBlocks
  #type = 0
  #flags = 0
  #id = 0
  #length = 0
  #greeted = false
  #acknowledged = false
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
    this.#type = type
    this.#flags = flags
    this.#id = id
    this.#length = length
    // Section 3.4.
    if (!this.#greeted && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
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
    switch (this.#type) {
      case FrameType.headers:
        return this.#headers(bytes, start, end)
      case FrameType.continuation:
        return this.#continuation(bytes, start, end)
      case FrameType.priority:
        return this.#priority(bytes, start)
      case FrameType.resetStream:
        return this.#resetStream()
      case FrameType.settings:
        return this.#settings(bytes, start, end)
      case FrameType.ping:
        return this.#ping(bytes, start)
      case FrameType.goaway:
        return this.#goaway()
      case FrameType.windowUpdate:
        return this.#windowUpdate(bytes, start)
      default:
        throw protocolError('clients do not push')
    }
  }

  /** Section 6.1. */
  #beginData(): boolean {
    const id = this.#id
    this.#receiving = undefined
    this.#content = this.#held = 0
    if (!this.#streams.take(this.#length))
      throw new ConnectionError(ErrorCode.flowControlError, 'DATA is more than the connection had room for')
    const stream = this.#streams.at(id)
    if (stream === undefined) {
      this.#judgeClosed('DATA')
      return false
    }
    if (stream.clientEnded) stream.fail(ErrorCode.streamClosed)
    else if (!stream.take(this.#length)) stream.fail(ErrorCode.flowControlError)
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
    const ends = (this.#flags & Flag.endStream) !== 0
    if (this.#content === 0 && !ends && stream !== undefined) this.#to.charge()
    const read = this.#length - this.#held
    this.#streams.giveBack(read)
    if (stream === undefined || stream.closed) return
    if (ends) stream.clientEnd()
    else stream.giveBack(read)
  }

  /** A frame of a stream that is idle, or closed: section 5.1. */
  #judgeClosed(what: string): void {
    const id = this.#id
    if (this.#isIdle(id)) throw protocolError(`${what} on a stream that is not open`)
    const end = this.#streams.endOf(id)
    if (end === End.finished)
      throw new ConnectionError(ErrorCode.streamClosed, `${what} on a stream that is closed`)
    if (end === End.resetByClient) this.#streams.fail(id, ErrorCode.streamClosed)
    // Data may have been under way when the stream was closed.
    if (end !== End.resetByUs || this.#length === 0) this.#to.charge()
  }

  /** Section 6.2. */
  #headers(bytes: Buffer, start: number, end: number): void {
    const id = this.#id
    const padded = (this.#flags & Flag.padded) !== 0
    const priority = (this.#flags & Flag.priority) !== 0
    if (end - start < (padded ? 1 : 0) + (priority ? 5 : 0))
      throw new ConnectionError(ErrorCode.frameSizeError, 'HEADERS are shorter than their fields')
    if (id % 2 === 0) throw protocolError('clients open streams with odd numbers')
    let at = start
    let last = end
    if (padded) last -= bytes[at++]
    if (priority) {
      this.#judgePriority(bytes, at)
      at += 5
    }
    if (last < at) throw protocolError('the padding is longer than its frame')
    this.#blockFlags = this.#flags
    if ((this.#flags & Flag.endHeaders) !== 0) {
      this.#finish(this.#blocks.finish(bytes, at, last))
      return
    }
    this.#blockOf = id
    this.#blocks.add(bytes, at, last)
  }

  #continuation(bytes: Buffer, start: number, end: number): void {
    if (this.#blockOf === 0) throw protocolError('CONTINUATION continues nothing')
    if ((this.#flags & Flag.endHeaders) === 0) {
      this.#blocks.add(bytes, start, end)
      return
    }
    this.#blockOf = 0
    this.#finish(this.#blocks.finish(bytes, start, end))
  }

  #finish(fields: RequestFields): void {
    const id = this.#id
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

  /** Section 6.3: deprecated, and nothing is made of it. */
  #priority(bytes: Buffer, start: number): void {
    const id = this.#id
    if (id === 0) throw protocolError('PRIORITY is for streams')
    this.#to.charge()
    if (this.#length === 5) this.#judgePriority(bytes, start)
    else if (this.#isIdle(id)) throw new ConnectionError(ErrorCode.frameSizeError, 'PRIORITY has 5 bytes')
    else this.#streams.fail(id, ErrorCode.frameSizeError)
  }

  /** Nobody looks at priorities, but this was an error before they were given up: RFC 7540, section 5.3.1. */
  #judgePriority(bytes: Buffer, at: number): void {
    if ((bytes.readUInt32BE(at) & MAX_31_BITS) === this.#id)
      throw protocolError('a stream cannot depend on itself')
  }

  /** Section 6.4. */
  #resetStream(): void {
    this.#requireLength(4, 'RST_STREAM')
    if (this.#isIdle(this.#id)) throw protocolError('RST_STREAM of a stream that is not open')
    const stream = this.#streams.at(this.#id)
    if (stream === undefined) this.#to.charge()
    else stream.resetByClient()
  }

  /** Section 6.5. */
  #settings(bytes: Buffer, start: number, end: number): void {
    this.#requireConnection('SETTINGS')
    if ((this.#flags & Flag.ack) !== 0) {
      this.#requireLength(0, 'an acknowledgement of SETTINGS')
      if (this.#acknowledged) this.#to.charge()
      this.#acknowledged = true
      return
    }
    const settings = readSettings(bytes, start, end)
    // Before anything that the new ones allow.
    this.#to.settled()
    if (!this.#streams.adjust(settings))
      throw new ConnectionError(ErrorCode.flowControlError, 'INITIAL_WINDOW_SIZE makes a window too large')
    if (this.#greeted) this.#to.charge()
    else this.#to.greet()
    this.#greeted = true
  }

  /** Section 6.7. */
  #ping(bytes: Buffer, start: number): void {
    this.#requireConnection('PING')
    this.#requireLength(8, 'PING')
    if ((this.#flags & Flag.ack) === 0) this.#to.pinged(bytes, start)
    else this.#to.answered(bytes, start)
  }

  /** Section 6.8. */
  #goaway(): void {
    this.#requireConnection('GOAWAY')
    if (this.#length < 8) throw new ConnectionError(ErrorCode.frameSizeError, 'GOAWAY is too short')
    this.#to.charge()
    this.#to.left()
  }

  /** Section 6.9. */
  #windowUpdate(bytes: Buffer, start: number): void {
    this.#requireLength(4, 'WINDOW_UPDATE')
    this.#to.charge()
    const id = this.#id
    const increment = bytes.readUInt32BE(start) & MAX_31_BITS
    if (id === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE by 0')
      if (!this.#streams.sending.enlarged(increment))
        throw new ConnectionError(ErrorCode.flowControlError, 'WINDOW_UPDATE makes a window too large')
      return
    }
    if (this.#isIdle(id)) throw protocolError('WINDOW_UPDATE of a stream that is not open')
    const stream = this.#streams.at(id)
    if (stream === undefined) return
    if (increment === 0) stream.fail(ErrorCode.protocolError)
    else if (!stream.enlarge(increment)) stream.fail(ErrorCode.flowControlError)
    else this.#streams.sending.proceed(stream)
  }

  /** Streams with even numbers would be ours: we open none. */
  #isIdle(id: number): boolean {
    return id > this.#streams.last || id % 2 === 0
  }

  #requireConnection(what: string): void {
    if (this.#id !== 0) throw protocolError(`${what} on a stream`)
  }

  #requireLength(bytes: number, what: string): void {
    if (this.#length !== bytes)
      throw new ConnectionError(ErrorCode.frameSizeError, `${what} has ${bytes} bytes, not ${this.#length}`)
  }
}

function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.protocolError, message)
}
