import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { SizeLimit } from '../../decompression/decompress.ts'
import { type Failure, outcomeOf, refused, retryLater } from '../../outcome.ts'
import { frameMessage, OK_TRAILERS, refuse, respond, trailersOf } from '../answer.ts'
import { type Calls, decompressMessage, timeoutOf } from '../call.ts'
import { MessageSplitter } from './message-splitter.ts'
import type { Answering, Conversation, Method } from './method.ts'

/** Of a message, decompressed. */
const LIMIT = new SizeLimit(64 * 1024, 'what the services beside LogsService take')

/** A call of a service other than LogsService, over HTTP/2. */
export class ServiceCall implements Answering {
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #calls: Pick<Calls, 'limits' | 'readTimeoutMs'>
  readonly #conversation: Conversation
  readonly #splitter = new MessageSplitter()
  readonly #started = performance.now()
  /** Messages are told in their order, however long each takes to decompress. */
  #told = Promise.resolve()
  #heard = false
  #over = false

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: Method,
    calls: Pick<Calls, 'limits' | 'readTimeoutMs'>,
  ) {
    this.#stream = stream
    this.#headers = headers
    this.#calls = calls
    this.#conversation = method({
      send: (message) => this.send(message),
      end: (failure) => this.end(failure),
    })
  }

  /** `closed` is called once the stream is. */
  start(closed: (call: ServiceCall) => void): void {
    const stream = this.#stream
    stream.on('error', () => {})
    stream.on('close', () => {
      this.#over = true
      this.#conversation.closed()
      closed(this)
    })
    stream.on('data', (chunk: Buffer) => this.#add(chunk))
    stream.on('end', () => this.#tell(() => this.#conversation.end()))
  }

  /** Whether the client gave the call up before it was answered. */
  get abandoned(): boolean {
    return this.#stream.aborted
  }

  /** Ends a call whose deadline has passed, or that never says what it wants. */
  checkTime(now: number): void {
    const passed = now - this.#started
    const { readTimeoutMs } = this.#calls
    const silent = !this.#heard && readTimeoutMs > 0 && passed >= readTimeoutMs
    if (silent || passed >= timeoutOf(this.#headers)) {
      this.end(refused('timeout', 'the deadline of the call has passed'))
    }
  }

  /** Ends a call whose connection ends; its client opens it anew elsewhere. */
  leave(): void {
    this.end(retryLater('stopping', 'the connection is being closed'))
  }

  send(message: Buffer): void {
    if (this.#over || this.#stream.destroyed) return
    if (!this.#stream.headersSent) respond(this.#stream)
    this.#stream.write(frameMessage(message))
  }

  end(failure?: Failure): void {
    if (this.#over) return
    this.#over = true
    const stream = this.#stream
    if (stream.destroyed) return
    if (failure && !stream.headersSent) {
      refuse(stream, failure)
      return
    }
    if (!stream.headersSent) respond(stream)
    // A client that has more to say closes its side when it sees these: a reset by us could overtake them.
    stream.once('wantTrailers', () => stream.sendTrailers(failure ? trailersOf(failure) : OK_TRAILERS))
    stream.end()
  }

  #add(chunk: Buffer): void {
    if (this.#over) return
    try {
      for (const { compressed, bytes } of this.#splitter.add(chunk)) {
        this.#heard = true
        this.#tell(async () => {
          this.#conversation.message(compressed ? await this.#decompress(bytes) : bytes)
        })
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #decompress(message: Buffer): Promise<Buffer> {
    const { maxCompressionRatio: maxRatio, inFlight } = this.#calls.limits
    const hold = inFlight.hold()
    try {
      return await decompressMessage(message, this.#headers, { limit: LIMIT, maxRatio, hold })
    } finally {
      hold.release()
    }
  }

  #tell(what: () => void | Promise<void>): void {
    this.#told = this.#told.then(async () => {
      if (this.#over) return
      try {
        await what()
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  #fail(error: unknown): void {
    const outcome = outcomeOf(error, 0)
    this.end(
      outcome === undefined || outcome.ok
        ? retryLater('internal', 'the collector failed unexpectedly')
        : outcome,
    )
  }
}
