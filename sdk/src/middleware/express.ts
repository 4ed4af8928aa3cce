import type { IncomingMessage, ServerResponse } from 'node:http'
import { Exchange, type Known } from './shared/exchange.ts'
import type { RequestLogOptions } from './shared/options.ts'

/** What is read of a request of Express, version 4 or 5. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl?: string
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown } | undefined
  readonly hostname?: string | undefined
  readonly ip?: string | undefined
  readonly protocol?: string
}

export type ExpressLogOptions = RequestLogOptions<ExpressRequest>

type Next = (error?: unknown) => void

const exchanges = new WeakMap<IncomingMessage, Exchange<ExpressRequest>>()

/**
 * A middleware that opens a context for each request, of its `traceparent`, and writes one access log when it ends.
 * Use it before all others.
 *
 * @example
 * ```ts
 * app.use(expressLogs({ logger: log, ignore: ['/health'], attributes: (request) => ({ tenant: request.headers['x-tenant'] }) }))
 * ```
 */
export function expressLogs(
  options: ExpressLogOptions,
): (request: ExpressRequest, response: ServerResponse, next: Next) => void {
  return (request, response, next) => {
    // Used twice, as in an app within an app, it is one request still.
    if (exchanges.has(request)) return next()
    const exchange = new Exchange(options, {
      request,
      raw: request,
      response,
      known: () => knownOf(request, response),
    })
    exchanges.set(request, exchange)
    exchange.open(() => next())
  }
}

/**
 * A middleware for errors that gives them to the access log, and to the next one. Use it after all routes.
 *
 * @example
 * ```ts
 * app.use(expressErrors())
 * ```
 */
export function expressErrors(): (
  error: unknown,
  request: ExpressRequest,
  response: ServerResponse,
  next: Next,
) => void {
  return (error, request, _response, next) => {
    const exchange = exchanges.get(request)
    if (exchange !== undefined) exchange.error = error
    next(error)
  }
}

function knownOf(request: ExpressRequest, response: ServerResponse): Known {
  const { route, baseUrl = '', ip, hostname, protocol, originalUrl, headers } = request
  const path = route?.path
  return {
    route: typeof path === 'string' ? `${baseUrl}${path}` : path instanceof RegExp ? String(path) : undefined,
    client: ip,
    // `hostname` has no port, unless a proxy that is trusted said another host.
    host: hostname !== undefined && headers.host?.startsWith(hostname) ? headers.host : hostname,
    scheme: protocol,
    target: originalUrl,
    length: response.getHeader('content-length'),
  }
}
