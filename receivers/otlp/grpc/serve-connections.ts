import type { Server } from 'node:net'
import type { GrpcSettings } from '../config.ts'
import { SizeLimit } from '../decompression/decompress.ts'
import type { Entrance } from '../entrance.ts'
import { closedBy, type Listener, listen } from '../listen/listen.ts'
import type { Connection, Served } from './connection.ts'
import { MIB } from './serve.ts'
import type { Methods } from './services/method.ts'

/** How exactly times are kept: one clock for all is cheaper than one a call. */
const TICK_MS = 250
/** What a client may send of one call before it has to wait for us. By default it is 64 KiB a round trip. */
export const STREAM_WINDOW_BYTES = 1024 * 1024
/** What a client may have outstanding on one connection. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
/** What the header fields of a call may take. */
export const MAX_HEADER_BYTES = 16 * 1024

/** What every connection of a listener is served with. */
export function servedWith(
  settings: GrpcSettings,
  { intake, counts, limits, connections, guard }: Entrance,
  methods: Methods,
): Served {
  const limit = new SizeLimit(settings.max_recv_msg_size_mib * MIB, 'max_recv_msg_size_mib')
  const readTimeoutMs = settings.read_timeout
  const calls = { intake, door: guard.door, counts, limits, limit, readTimeoutMs }
  return { calls, methods, connections }
}

/** Listens for connections, which `open` has until they are closed, looks at their time, and ends them. */
export async function serveConnections(
  server: Server,
  open: ReadonlySet<Connection>,
  { endpoint }: GrpcSettings,
  { connections, guard }: Entrance,
): Promise<Listener> {
  guard.certificates?.serve(server)
  connections.guard(server)
  const listening = await listen(server, 'gRPC', endpoint)
  const clock = setInterval(() => {
    const now = performance.now()
    for (const connection of open) connection.checkTime(now)
  }, TICK_MS)
  clock.unref()

  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const connection of open) connection.end()
    await closed
    clearInterval(clock)
  }
  let closed: Promise<void> | undefined
  return {
    ...listening,
    stop(deadline) {
      closed ??= close()
      return closedBy(deadline, closed, () => {
        for (const connection of open) connection.destroy()
      })
    },
  }
}
