import type { PeerCertificate } from 'node:tls'
import type { Counts } from '../../counts.ts'
import { refused } from '../../outcome.ts'
import type { Connection } from '../connection.ts'
import { CONNECTION_WINDOW_BYTES, MAX_HEADER_BYTES } from '../serve-connections.ts'
import type { ClientSettings } from './client-settings.ts'
import { ClosedStreams, End } from './closed-streams.ts'
import { ErrorCode } from './protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { RequestFields } from './request-fields.ts'
import type { Sending } from './sending.ts'
import { Stream, type StreamHost } from './stream.ts'

/** What a client remembers of our header fields, unless it says otherwise. */
const TABLE_BYTES = 4096

export interface StreamsOptions {
  readonly sending: Sending
  readonly connection: Connection
  readonly counts: Counts
  /** How many may be open. */
  readonly most: number
  certificate(): PeerCertificate | undefined
  /** A frame asked for work and brought nothing. */
  charge(): void
  /** A stream was closed; `answered` where both sides had said all. */
  closed(answered: boolean): void
}

/** The streams of a connection: RFC 9113, section 5.1. */
export class Streams implements StreamHost {
  readonly #options: StreamsOptions
  readonly #open = new Map<number, Stream>()
  readonly #closed = new ClosedStreams()
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES)
  #last = 0
  #full = false

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  get sending(): Sending {
    return this.#options.sending
  }

  get size(): number {
    return this.#open.size
  }

  /** The highest number of a stream that the client has opened. */
  get last(): number {
    return this.#last
  }

  certificate(): PeerCertificate | undefined {
    return this.#options.certificate()
  }

  /** Whether one has not been opened yet. Those with even numbers would be ours: we open none. */
  isIdle(id: number): boolean {
    return id > this.#last || id % 2 === 0
  }

  /** One that is open. */
  at(id: number): Stream | undefined {
    return this.#open.get(id)
  }

  /** How one was closed, as far as that is remembered. */
  endOf(id: number): End | undefined {
    return this.#closed.endOf(id)
  }

  /** No more are taken. */
  refuseMore(): void {
    this.#full = true
  }

  /** The client opens one, which may be refused. `ended`: it has nothing more to say. */
  open(id: number, fields: RequestFields, ended: boolean): void {
    this.#last = id
    const { connection, most } = this.#options
    if (this.#full || this.#open.size >= most) {
      this.#refuse(id, ErrorCode.refusedStream)
      return
    }
    if (!this.#areGood(id, fields, ended)) return
    const stream = new Stream(id, this, { announced: fields.contentLength, ended })
    this.#open.set(id, stream)
    connection.open(stream, fields.headers)
  }

  /** The client has done with one what it may not. It need not be open any more. */
  fail(id: number, code: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) this.#reset(id, code)
    else stream.fail(code)
  }

  /** Takes of the window that all share; false where there is not so much. */
  take(bytes: number): boolean {
    return this.#window.take(bytes)
  }

  giveBack(bytes: number): void {
    const increment = this.#window.giveBack(bytes)
    if (increment > 0) this.sending.enlarge(0, increment)
  }

  /** Does as the client wishes; false where a window becomes larger than it may be. */
  adjust({ initialWindow, tableBytes = TABLE_BYTES }: ClientSettings): boolean {
    if (tableBytes < TABLE_BYTES) this.sending.emptyTable()
    return initialWindow === undefined || this.sending.resize(initialWindow, this.#open.values())
  }

  closed(stream: Stream, end: End): void {
    this.#open.delete(stream.id)
    this.#closed.add(stream.id, end)
    this.sending.forget(stream)
    this.#options.closed(end === End.finished)
  }

  /** Clients are told that their calls are cancelled. */
  cancelAll(): void {
    for (const stream of this.#open.values()) stream.fail(ErrorCode.cancel)
  }

  /** The connection is gone. */
  loseAll(): void {
    for (const stream of this.#open.values()) stream.resetByClient()
  }

  #areGood(id: number, fields: RequestFields, ended: boolean): boolean {
    const { counts } = this.#options
    if (fields.tooLarge) {
      counts.count(
        refused('headers_too_large', `the header fields are more than ${MAX_HEADER_BYTES} bytes`),
        0,
      )
      this.#refuse(id, ErrorCode.enhanceYourCalm)
      return false
    }
    const lacking = ended && (fields.contentLength ?? 0) > 0
    const problem = lacking ? 'the content is not as long as content-length says' : fields.problem
    if (problem === undefined) return true
    counts.count(refused('malformed', problem), 0)
    this.#refuse(id, ErrorCode.protocolError)
    return false
  }

  #refuse(id: number, code: number): void {
    this.#reset(id, code)
    this.#options.charge()
  }

  #reset(id: number, code: number): void {
    this.sending.reset(id, code)
    this.#closed.add(id, End.resetByUs)
  }
}
