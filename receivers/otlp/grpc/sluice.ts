import { createServer, type Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import type { GrpcSettings } from '../config.ts'
import type { Entrance } from '../entrance.ts'
import type { Listener } from '../listen/listen.ts'
import type { Connection } from './connection.ts'
import { FrameSession } from './frames/frame-session.ts'
import { Turn } from './frames/turn.ts'
import { serveConnections, servedWith } from './serve-connections.ts'
import type { Methods } from './services/method.ts'

const OPTIONS = { noDelay: true }
/** RFC 9113, section 3.2. */
const PROTOCOL = 'h2'

/** Serves gRPC on frames of our own, straight on sockets. */
export async function serve(settings: GrpcSettings, entrance: Entrance, methods: Methods): Promise<Listener> {
  const served = servedWith(settings, entrance, methods)
  const open = new Set<Connection>()
  const turn = new Turn()
  const take = (socket: Socket): void => {
    const { connection } = new FrameSession(socket, settings, served, turn)
    open.add(connection)
    socket.once('close', () => open.delete(connection))
  }
  const { certificates } = entrance.guard
  const server = certificates
    ? createSecureServer({ ...OPTIONS, ...certificates.options, ALPNProtocols: [PROTOCOL] }, (socket) => {
        if (socket.alpnProtocol === PROTOCOL) take(socket)
        else socket.destroy()
      })
    : createServer(OPTIONS, take)
  return await serveConnections(server, open, settings, entrance)
}
