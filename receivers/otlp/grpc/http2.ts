import { createSecureServer, createServer, type ServerOptions } from 'node:http2'
import type { GrpcSettings } from '../config.ts'
import { SizeLimit } from '../decompression/decompress.ts'
import type { Entrance } from '../entrance.ts'
import { closedBy, type Listener, listen } from '../listen/listen.ts'
import type { Calls } from './call.ts'
import { Connection } from './connection.ts'
import { MIB } from './serve.ts'
import type { Methods } from './services/method.ts'

/** How exactly times are kept: one clock for all is cheaper than one a call. */
const TICK_MS = 250
/** What a client may send of one call before it has to wait for us. By default it is 64 KiB a round trip. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const MAX_HEADER_BYTES = 16 * 1024

/** Serves gRPC on Node's HTTP/2, with what Export needs and small services besides. */
export async function serve(
  settings: GrpcSettings,
  { intake, counts, limits, connections: all, guard }: Entrance,
  methods: Methods,
): Promise<Listener> {
  const calls: Calls = {
    intake,
    door: guard.door,
    counts,
    limits,
    limit: new SizeLimit(settings.max_recv_msg_size_mib * MIB, 'max_recv_msg_size_mib'),
    readTimeoutMs: settings.read_timeout,
  }
  const connections = new Set<Connection>()
  const { certificates } = guard
  const options = http2Options(settings)
  const server = certificates
    ? createSecureServer({ ...options, ...certificates.options })
    : createServer(options)
  certificates?.serve(server)
  all.guard(server)
  server.on('session', (session) => {
    const connection = new Connection(session, settings, { calls, methods, connections: all })
    connections.add(connection)
    session.once('close', () => connections.delete(connection))
  })
  const listening = await listen(server, 'gRPC', settings.endpoint)
  const clock = setInterval(() => {
    const now = performance.now()
    for (const connection of connections) connection.checkTime(now)
  }, TICK_MS)
  clock.unref()

  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    // Not every version of Node has that end the connections.
    for (const connection of connections) connection.end()
    await closed
    clearInterval(clock)
  }
  let closed: Promise<void> | undefined
  return {
    ...listening,
    stop(deadline) {
      closed ??= close()
      return closedBy(deadline, closed, () => {
        for (const connection of connections) connection.destroy()
      })
    },
  }
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
