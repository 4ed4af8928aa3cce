import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import { HEADERS, OK_TRAILERS } from './answer.ts'
import type { CallStream, Fields, StreamReader } from './call-stream.ts'

/** gRPC has no use for a date, which would be in every answer. Node's type declarations do not know that it can be left out. */
const NO_DATE: object = { sendDate: false }
const WITH_TRAILERS = { waitForTrailers: true, ...NO_DATE }
const TRAILERS_ONLY = { endStream: true, ...NO_DATE }

/** A stream of Node's. */
export class Http2Stream implements CallStream {
  readonly copies = false
  readonly #stream: ServerHttp2Stream
  #reader: StreamReader | undefined

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  get aborted(): boolean {
    return this.#stream.aborted
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  get answered(): boolean {
    return this.#stream.headersSent
  }

  certificate(): PeerCertificate | undefined {
    const { socket } = this.#stream.session ?? {}
    return socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined
  }

  open(reader: StreamReader): void {
    this.#reader = reader
    this.#stream.on('error', ignore)
    this.#stream.on('close', () => reader.closed())
  }

  read(): void {
    const stream = this.#stream
    const reader = this.#reader
    stream.on('data', (chunk: Buffer) => reader?.data(chunk))
    stream.on('end', () => {
      // A stream that is reset ends as well, and then closes.
      if (!stream.aborted) reader?.end()
    })
  }

  respond(): void {
    this.#stream.respond(HEADERS as OutgoingHttpHeaders, WITH_TRAILERS)
  }

  write(message: Buffer): void {
    this.#stream.write(message)
  }

  end(trailers: Fields): void {
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(trailers as OutgoingHttpHeaders))
    this.#stream.end()
  }

  succeed(message: Buffer): void {
    this.#stream.on('wantTrailers', sendOk)
    this.respond()
    this.#stream.end(message)
  }

  refuse(fields: Fields): void {
    this.#stream.respond(fields as OutgoingHttpHeaders, TRAILERS_ONLY)
    // Whatever of the request is still to come need not: RFC 9113, section 8.1.
    this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }
}

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS as OutgoingHttpHeaders)
}

/** `close` follows and says enough. */
function ignore(): void {}
