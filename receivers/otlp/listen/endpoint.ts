import { z } from 'zod'
import { type Endpoint, endpoint } from '../../../src/config/fields.ts'

/** `unix:///run/sluice.sock`, or the path alone. */
const SOCKET = /^(?:unix:(?:\/\/)?)?(\/.+)$/
/** What fits the address of a Unix socket, which ends with a zero: unix(7). */
const MAX_PATH_BYTES = 107

export interface SocketPath {
  readonly path: string
}

export type ListenAt = Endpoint | SocketPath

/** Where to listen: `host:port`, or a Unix socket. A default is written as text. */
export function listenAt() {
  const tcp = endpoint()
  return z
    .string({
      error: ({ input }) =>
        input === undefined ? undefined : 'expected host:port such as 0.0.0.0:4317, or unix:///path',
    })
    .transform((text, context): ListenAt => {
      const path = SOCKET.exec(text)?.[1]
      if (path !== undefined) {
        if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
          const message = `expected a path of no more than ${MAX_PATH_BYTES} bytes, as Unix sockets have`
          context.issues.push({ code: 'custom', message, input: text })
        }
        return { path }
      }
      const parsed = tcp.safeParse(text)
      if (parsed.success) return parsed.data
      const relative = text.startsWith('unix:') || text.includes('/')
      const message = relative
        ? 'expected a path that begins with /, as in unix:///run/sluice.sock'
        : `${parsed.error.issues[0].message}, or unix:///path`
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
}

/** The Collector's `transport`, beside an `endpoint`. */
export function transport() {
  return z
    .enum(['tcp', 'unix'])
    .optional()
    .describe('As in the Collector. Need not be set: an endpoint that is a path is a Unix socket.')
}

/** Whether `transport` says the same as `endpoint`. */
export function agrees({
  transport,
  endpoint,
}: {
  readonly transport?: 'tcp' | 'unix' | undefined
  readonly endpoint: ListenAt
}): boolean {
  return transport === undefined || (transport === 'unix') === 'path' in endpoint
}

export const DISAGREES = {
  path: ['transport'],
  error: 'expected unix beside a path, tcp beside host:port',
}
