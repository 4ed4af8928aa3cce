import type { IncomingHttpHeaders } from 'node:http2'
import { SizeLimit } from '../../decompression/decompress.ts'
import { type Failure, outcomeOf, refused, retryLater } from '../../outcome.ts'
import { frameMessage, OK_TRAILERS, refuse, trailersOf } from '../answer.ts'
import { type Calls, decompressMessage, timeoutOf } from '../call.ts'
import type { CallStream, StreamReader } from '../call-stream.ts'
import { MessageSplitter } from './message-splitter.ts'
import type { Conversation, Method } from './method.ts'

/** Of a message, decompressed. */
const LIMIT = new SizeLimit(64 * 1024, 'what the services beside LogsService take')

/** A call of a service other than LogsService, over HTTP/2. */
export class ServiceCall implements StreamReader {
  readonly #stream: CallStream
  readonly #headers: IncomingHttpHeaders
  readonly #calls: Pick<Calls, 'limits' | 'readTimeoutMs'>
  readonly #conversation: Conversation
  readonly #splitter = new MessageSplitter()
  readonly #started = performance.now()
  /** Messages are told in their order, however long each takes to decompress. */
  #told = Promise.resolve()
  #heard = false
  #over = false
  #whenClosed: (call: ServiceCall) => void = () => {}

  constructor(
    stream: CallStream,
    headers: IncomingHttpHeaders,
    method: Method,
    calls: Pick<Calls, 'limits' | 'readTimeoutMs'>,
  ) {
    this.#stream = stream
    this.#headers = headers
    this.#calls = calls
    this.#conversation = method({
      send: (message) => this.#send(message),
      end: (failure) => this.#end(failure),
    })
  }

  /** `closed` is called once the stream is. */
  start(closed: (call: ServiceCall) => void): void {
    this.#whenClosed = closed
    this.#stream.open(this)
    this.#stream.read()
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
      this.#end(refused('timeout', 'the deadline of the call has passed'))
    }
  }

  /** Ends a call whose connection ends; its client opens it anew elsewhere. */
  leave(): void {
    this.#end(retryLater('stopping', 'the connection is being closed'))
  }

  data(chunk: Buffer): void {
    if (this.#over) return
    try {
      for (const { compressed, bytes } of this.#splitter.add(
        this.#stream.copies ? Buffer.from(chunk) : chunk,
      )) {
        this.#heard = true
        this.#tell(async () => {
          this.#conversation.message(compressed ? await this.#decompress(bytes) : bytes)
        })
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  end(): void {
    this.#tell(() => this.#conversation.end())
  }

  closed(): void {
    this.#over = true
    this.#conversation.closed()
    this.#whenClosed(this)
  }

  #send(message: Buffer): void {
    if (this.#over || this.#stream.closed) return
    if (!this.#stream.answered) this.#stream.respond()
    this.#stream.write(frameMessage(message))
  }

  #end(failure?: Failure): void {
    if (this.#over) return
    this.#over = true
    const stream = this.#stream
    if (stream.closed) return
    if (failure && !stream.answered) {
      refuse(stream, failure)
      return
    }
    if (!stream.answered) stream.respond()
    // A client that has more to say closes its side when it sees these: a reset by us could overtake them.
    stream.end(failure ? trailersOf(failure) : OK_TRAILERS)
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
    this.#end(
      outcome === undefined || outcome.ok
        ? retryLater('internal', 'the collector failed unexpectedly')
        : outcome,
    )
  }
}
