import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { withContext } from '../../context/context.ts'
import type { Level } from '../../logger/levels.ts'
import type { Logger } from '../../logger/logger.ts'
import { errorType, isError } from '../../record/error.ts'
import { requestContext } from './context.ts'
import { attempt, isIgnored, type RequestLogOptions } from './options.ts'
import { requestAttributes, responseAttributes } from './semantic-conventions.ts'
import { splitTarget } from './url.ts'

/** What the framework knows of a request. */
export interface Known {
  readonly route: string | undefined
  /** Of the client, behind the proxies that are trusted. */
  readonly client: string | undefined
  /** The host that the client asked for, with or without its port. */
  readonly host: string | undefined
  readonly scheme: string | undefined
  readonly target: string | undefined
  /** The header `content-length` of the response. */
  readonly length: unknown
}

/** A request and its response, with how to ask the framework about them. */
export interface Parties<Request> {
  readonly request: Request
  readonly raw: IncomingMessage
  readonly response: ServerResponse
  known(): Known
}

/** One request: its context, and its access log once it has ended. */
export class Exchange<Request> {
  /** What the application has thrown, if the framework tells. */
  error: unknown
  /** Where the access log goes. */
  log: Logger
  readonly #options: RequestLogOptions<Request>
  readonly #parties: Parties<Request>
  readonly #socket: { readonly bytesWritten?: number } | undefined
  readonly #start = performance.now()
  readonly #startBytes: number | undefined
  #resource: AsyncResource | undefined
  #ended = false

  constructor(options: RequestLogOptions<Request>, parties: Parties<Request>) {
    this.#options = options
    this.#parties = parties
    this.log = options.logger
    const { raw, response } = parties
    // Streams of HTTP/2 share their socket.
    this.#socket = raw.httpVersionMajor === 1 ? raw.socket : undefined
    this.#startBytes = this.#socket?.bytesWritten
    response.once('finish', () => this.#end(false))
    response.once('close', () => this.#end(!response.writableFinished))
  }

  /** Opens the context of the request, and runs `fn` in it. */
  open<T>(fn: () => T): T {
    const { request, raw } = this.#parties
    const { attributes } = this.#options
    const own = attributes && attempt('attributes', () => attributes(request))
    return withContext(requestContext(raw.headers.traceparent as string | undefined, own), () => {
      this.#resource = new AsyncResource('sluice.request')
      return fn()
    })
  }

  /** Runs `fn` in the context of the request again, wherever it was called from. */
  within<T>(fn: () => T): T {
    return this.#resource === undefined ? fn() : this.#resource.runInAsyncScope(fn)
  }

  #end(isAborted: boolean): void {
    if (this.#ended) return
    this.#ended = true
    try {
      this.within(() => this.#write(isAborted))
    } catch {
      // A request that cannot be described is answered all the same.
    }
  }

  #write(isAborted: boolean): void {
    const { request, raw, response } = this.#parties
    const { ignore, query, level } = this.#options
    const known = this.#parties.known()
    const { path } = splitTarget(known.target ?? raw.url ?? '/')
    if (isIgnored(ignore, request, path)) return
    const status = isAborted && !response.headersSent ? undefined : response.statusCode
    const own = level && status !== undefined ? attempt('level', () => level(request, status)) : undefined
    const severity = own ?? levelOf(status, isAborted)
    if (!this.log.enabled(severity)) return
    this.log.emit({
      severity,
      body: `${raw.method} ${known.route ?? path} ${isAborted ? 'aborted' : status}`,
      error: isError(this.error) ? this.error : undefined,
      fields: {
        ...requestAttributes(raw, known, query),
        ...responseAttributes(raw.method, status, known.length, this.#bytes()),
        'http.server.request.duration': Math.round((performance.now() - this.#start) * 1000) / 1e6,
        'error.type': this.#errorType(status, isAborted),
      },
    })
  }

  /** Semantic conventions of HTTP: the type of the error, or the status where that is all that is known. */
  #errorType(status: number | undefined, isAborted: boolean): string | undefined {
    if (isError(this.error)) return errorType(this.error)
    if (isAborted) return 'aborted'
    return status !== undefined && status >= 500 ? String(status) : undefined
  }

  #bytes(): number | undefined {
    const [start, end] = [this.#startBytes, this.#socket?.bytesWritten]
    return start === undefined || end === undefined ? undefined : end - start
  }
}

function levelOf(status: number | undefined, isAborted: boolean): Level {
  if (status !== undefined && status >= 500) return 'error'
  return isAborted || status === undefined || status >= 400 ? 'warn' : 'info'
}
