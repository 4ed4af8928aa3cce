import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Counts } from './counts.ts'
import { type RefusalReason, refused } from './outcome.ts'

/** What Node's parser says of a connection, the status to answer it with and the reason to count. */
const ANSWERS: ReadonlyMap<string | undefined, { readonly status: string; readonly reason: RefusalReason }> =
  new Map([
    ['HPE_HEADER_OVERFLOW', { status: '431 Request Header Fields Too Large', reason: 'headers_too_large' }],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { status: '413 Payload Too Large', reason: 'too_large' }],
    ['ERR_HTTP_REQUEST_TIMEOUT', { status: '408 Request Timeout', reason: 'timeout' }],
  ])
const MALFORMED = { status: '400 Bad Request', reason: 'malformed' } as const
/** The client is gone: nobody is there to answer. */
const GONE: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

/** Counts and answers what never becomes a request: headers that are malformed, too large or too slow. */
export function countUnparsed(server: Server, counts: Counts): void {
  const underWay = new WeakSet<Duplex>()
  server.on('request', ({ socket }, response) => {
    underWay.add(socket)
    response.once('close', () => underWay.delete(socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const { status, reason } = ANSWERS.get(error.code) ?? MALFORMED
    // A body that breaks off is counted as a request.
    if (!underWay.has(socket) && !GONE.has(error.code)) counts.count(refused(reason, ''), 0)
    if (!socket.writable || GONE.has(error.code)) {
      socket.destroy(error)
      return
    }
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
  })
}
