import type { IncomingMessage } from 'node:http'
import type { Known } from './exchange.ts'
import type { RequestLogOptions } from './options.ts'
import { shownQuery, splitHost, splitTarget } from './url.ts'

/** Methods of RFC 9110, section 9, and PATCH: others are `_OTHER`, since their number has no bound. */
const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
])

type Attributes = Record<string, unknown>

/** Semantic conventions, "HTTP server": what is known of a request. */
export function requestAttributes(
  request: IncomingMessage,
  { route, client, host, scheme, target }: Known,
  query: RequestLogOptions<never>['query'],
): Attributes {
  const { headers, httpVersion, method = '', socket, url = '/' } = request
  const { path, query: asked } = splitTarget(target ?? url)
  const server = splitHost(host ?? headers.host ?? '')
  const isKnown = METHODS.has(method)
  return {
    'http.request.method': isKnown ? method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : method,
    'http.route': route,
    'url.scheme': scheme,
    'url.path': path,
    'url.query': shownQuery(asked, query),
    'client.address': client ?? socket?.remoteAddress,
    'server.address': server.address || undefined,
    'server.port': server.port,
    'network.protocol.version': httpVersion,
    'user_agent.original': headers['user-agent'],
    'http.request.body.size': sizeOf(headers['content-length']),
  }
}

/**
 * What is known of its response. Without a length in its headers, the size is that of all bytes that went over the wire.
 *
 * @param length The header `content-length` of the response.
 * @param bytes Written to the connection meanwhile.
 */
export function responseAttributes(
  method: string | undefined,
  status: number | undefined,
  length: unknown,
  bytes: number | undefined,
): Attributes {
  const hasNoBody = method === 'HEAD' || status === 304 || status === 204
  const size = hasNoBody ? undefined : sizeOf(length)
  return {
    'http.response.status_code': status,
    'http.response.body.size': size,
    'http.response.size': size === undefined ? bytes : undefined,
  }
}

function sizeOf(header: unknown): number | undefined {
  const size = typeof header === 'string' || typeof header === 'number' ? Number(header) : Number.NaN
  return Number.isSafeInteger(size) ? size : undefined
}
