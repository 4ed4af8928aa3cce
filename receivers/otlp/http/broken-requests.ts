import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Counts } from '../counts.ts'
import { type Failure, Refusal, type RefusalReason, refused } from '../outcome.ts'
import { lastAnswer } from './answer.ts'
import type { Body } from './body.ts'

/** By the codes of Node and its parser. */
const TROUBLES: ReadonlyMap<string, readonly [reason: RefusalReason, message: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', ['headers_too_large', 'the headers of the request are larger than 16 KiB']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['too_large', 'the extensions of the chunks are larger than 16 KiB']],
  ['HPE_INVALID_EOF_STATE', ['disconnected', 'the connection ended before the request did']],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    ['timeout', 'the request has not come in time (read_header_timeout, read_timeout)'],
  ],
])

interface Running {
  readonly body: Body
  readonly response: ServerResponse
}

/** Answers what is no HTTP, or does not come in time, with a Status as any other refusal, and counts it. */
export class BrokenRequests {
  readonly #counts: Counts
  readonly #headers: Readonly<Record<string, string>>
  /** The request that came last on a connection. */
  readonly #running = new WeakMap<Duplex, Running>()

  /** `headers`: those that every answer has. */
  constructor(server: Server, counts: Counts, headers: Readonly<Record<string, string>>) {
    this.#counts = counts
    this.#headers = headers
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // Whoever has gone is answered nothing; a request that was under way counts as disconnected.
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
      else this.#end(socket, troubleOf(error))
    })
    server.on('connect', ({ method }, socket) => {
      this.#answer(socket, refused('method', `logs are sent with POST, not ${method}`))
    })
  }

  /** A request whose rest may turn out to be broken. */
  add(socket: Duplex, running: Running): void {
    this.#running.set(socket, running)
  }

  #end(socket: Duplex, refusal: Refusal): void {
    const { body, response } = this.#running.get(socket) ?? {}
    if (response === undefined || response.writableEnded) {
      this.#answer(socket, refused(refusal.reason, refusal.message))
      return
    }
    if (!response.headersSent) response.setHeader('connection', 'close')
    // A request that has come in full is answered as if nothing had followed it.
    if (!body?.fail(refusal)) this.#counts.count(refused(refusal.reason, refusal.message), 0)
  }

  #answer(socket: Duplex, failure: Failure): void {
    this.#counts.count(failure, 0)
    socket.end(lastAnswer(failure, this.#headers), () => socket.destroy())
  }
}

function troubleOf({ code = '' }: NodeJS.ErrnoException): Refusal {
  const [reason, message] = TROUBLES.get(code) ?? ['malformed', `the request is not valid HTTP/1.1 (${code})`]
  return new Refusal(reason, message)
}
