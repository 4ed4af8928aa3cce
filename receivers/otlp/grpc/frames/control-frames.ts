import { readSettings } from './client-settings.ts'
import { ConnectionError, protocolError } from './connection-error.ts'
import { ErrorCode, Flag, FrameType, MAX_31_BITS } from './protocol.ts'
import type { Streams } from './streams.ts'

/** What the header of a frame says. */
export interface FrameHead {
  type: number
  flags: number
  id: number
  length: number
}

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

/** Frames that are neither headers nor content: RFC 9113, sections 6.3 to 6.9. */
export class ControlFrames {
  readonly #to: Receiving
  readonly #streams: Streams
  #greeted = false
  #acknowledged = false

  constructor(to: Receiving, streams: Streams) {
    this.#to = to
    this.#streams = streams
  }

  /** Whether the first settings have come. */
  get greeted(): boolean {
    return this.#greeted
  }

  /** The payload lies between `start` and `end`. */
  read(head: FrameHead, bytes: Buffer, start: number, end: number): void {
    switch (head.type) {
      case FrameType.priority:
        return this.#priority(head, bytes, start)
      case FrameType.resetStream:
        return this.#resetStream(head)
      case FrameType.settings:
        return this.#settings(head, bytes, start, end)
      case FrameType.ping:
        return this.#ping(head, bytes, start)
      case FrameType.goaway:
        return this.#goaway(head)
      case FrameType.windowUpdate:
        return this.#windowUpdate(head, bytes, start)
      default:
        throw protocolError('clients do not push')
    }
  }

  /** Section 6.3: deprecated, and nothing is made of it. */
  #priority({ id, length }: FrameHead, bytes: Buffer, start: number): void {
    if (id === 0) throw protocolError('PRIORITY is for streams')
    this.#to.charge()
    if (length === 5) judgePriority(id, bytes, start)
    else if (this.#streams.isIdle(id))
      throw new ConnectionError(ErrorCode.frameSizeError, 'PRIORITY has 5 bytes')
    else this.#streams.fail(id, ErrorCode.frameSizeError)
  }

  /** Section 6.4. */
  #resetStream(head: FrameHead): void {
    requireLength(head, 4, 'RST_STREAM')
    if (this.#streams.isIdle(head.id)) throw protocolError('RST_STREAM of a stream that is not open')
    const stream = this.#streams.at(head.id)
    if (stream === undefined) this.#to.charge()
    else stream.resetByClient()
  }

  /** Section 6.5. */
  #settings(head: FrameHead, bytes: Buffer, start: number, end: number): void {
    requireConnection(head, 'SETTINGS')
    if ((head.flags & Flag.ack) !== 0) {
      requireLength(head, 0, 'an acknowledgement of SETTINGS')
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
  #ping(head: FrameHead, bytes: Buffer, start: number): void {
    requireConnection(head, 'PING')
    requireLength(head, 8, 'PING')
    if ((head.flags & Flag.ack) === 0) this.#to.pinged(bytes, start)
    else this.#to.answered(bytes, start)
  }

  /** Section 6.8. */
  #goaway(head: FrameHead): void {
    requireConnection(head, 'GOAWAY')
    if (head.length < 8) throw new ConnectionError(ErrorCode.frameSizeError, 'GOAWAY is too short')
    this.#to.charge()
    this.#to.left()
  }

  /** Section 6.9. */
  #windowUpdate(head: FrameHead, bytes: Buffer, start: number): void {
    requireLength(head, 4, 'WINDOW_UPDATE')
    this.#to.charge()
    const { id } = head
    const increment = bytes.readUInt32BE(start) & MAX_31_BITS
    if (id === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE by 0')
      if (!this.#streams.sending.enlarged(increment))
        throw new ConnectionError(ErrorCode.flowControlError, 'WINDOW_UPDATE makes a window too large')
      return
    }
    if (this.#streams.isIdle(id)) throw protocolError('WINDOW_UPDATE of a stream that is not open')
    const stream = this.#streams.at(id)
    if (stream === undefined) return
    if (increment === 0) stream.fail(ErrorCode.protocolError)
    else if (!stream.enlarge(increment)) stream.fail(ErrorCode.flowControlError)
    else this.#streams.sending.proceed(stream)
  }
}

/** Nobody looks at priorities, but this was an error before they were given up: RFC 7540, section 5.3.1. */
export function judgePriority(id: number, bytes: Buffer, at: number): void {
  if ((bytes.readUInt32BE(at) & MAX_31_BITS) === id) throw protocolError('a stream cannot depend on itself')
}

function requireConnection({ id }: FrameHead, what: string): void {
  if (id !== 0) throw protocolError(`${what} on a stream`)
}

function requireLength({ length }: FrameHead, bytes: number, what: string): void {
  if (length !== bytes)
    throw new ConnectionError(ErrorCode.frameSizeError, `${what} has ${bytes} bytes, not ${length}`)
}
