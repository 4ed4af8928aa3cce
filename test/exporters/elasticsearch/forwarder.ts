import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Another address of a server: a node of a cluster, which may go away and come back. */
export interface Forwarder extends AsyncDisposable {
  readonly url: string
  readonly host: string
  /** Cuts all connections and takes no more. */
  down(): Promise<void>
  /** Is there again, at the same port. */
  up(): Promise<void>
}

export async function startForwarder(to: string): Promise<Forwarder> {
  const target = new URL(to)
  const sockets = new Set<Socket>()
  const forward = (client: Socket): void => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  }
  let server: Server | undefined
  const listen = async (port: number): Promise<number> => {
    server = createServer(forward).listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const down = async (): Promise<void> => {
    const closed = new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
    for (const socket of sockets) socket.destroy()
    await closed
    server = undefined
  }
  const port = await listen(0)
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    down,
    up: async () => void (await listen(port)),
    [Symbol.asyncDispose]: down,
  }
}
