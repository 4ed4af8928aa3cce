import {
  constants,
  createSecureServer,
  createServer,
  type ServerHttp2Session,
  type ServerOptions,
} from 'node:http2'
import type { GrpcSettings } from '../config.ts'
import type { Entrance } from '../entrance.ts'
import type { Listener } from '../listen/listen.ts'
import { Connection, type Served, type Session } from './connection.ts'
import { Http2Stream } from './http2-stream.ts'
import {
  CONNECTION_WINDOW_BYTES,
  MAX_HEADER_BYTES,
  STREAM_WINDOW_BYTES,
  serveConnections,
  servedWith,
} from './serve-connections.ts'
import type { Methods } from './services/method.ts'

/** Serves gRPC on Node's HTTP/2, with what Export needs and small services besides. */
export async function serve(settings: GrpcSettings, entrance: Entrance, methods: Methods): Promise<Listener> {
  const { certificates } = entrance.guard
  const options = http2Options(settings)
  const server = certificates
    ? createSecureServer({ ...options, ...certificates.options })
    : createServer(options)
  const served = servedWith(settings, entrance, methods)
  const open = new Set<Connection>()
  server.on('session', (session) => {
    const connection = connect(session, settings, served)
    open.add(connection)
    session.once('close', () => open.delete(connection))
  })
  return await serveConnections(server, open, settings, entrance)
}

/** What is not set here keeps Node's limits: on resets, rejected streams, invalid frames, pings and settings. */
function http2Options(settings: GrpcSettings): ServerOptions {
  return {
    settings: {
      enablePush: false,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: settings.max_concurrent_streams,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
  }
}

function connect(session: ServerHttp2Session, settings: GrpcSettings, served: Served): Connection {
  const connection = new Connection(new Http2Session(session), settings, served)
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  session.once('remoteSettings', () => connection.greet())
  session.on('ping', () => connection.judgePing())
  session.on('stream', (stream, headers) => connection.open(new Http2Stream(stream), headers))
  return connection
}

class Http2Session implements Session {
  readonly #session: ServerHttp2Session

  constructor(session: ServerHttp2Session) {
    this.#session = session
  }

  get destroyed(): boolean {
    return this.#session.destroyed
  }

  ping(answered: () => void): void {
    this.#session.ping(answered)
  }

  /**
   * The client is told which call is the last, so it may send those anew that were on their way. Node has no gentler
   * way, and nobody but Node may write to the socket.
   */
  end(): void {
    if (!this.#session.closed) this.#session.close()
  }

  destroy(): void {
    // A code alone, which Node takes and its type declarations do not know.
    this.#session.destroy(constants.NGHTTP2_CANCEL as unknown as Error)
  }

  calmDown(said: string): void {
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(said))
    this.#session.destroy()
  }

  checkTime(): void {}
}
