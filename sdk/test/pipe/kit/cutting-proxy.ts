import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server on this machine. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
  /** Connections that were cut. */
  readonly cuts: number
  /** Whether it cuts; true to begin with. */
  cutting: boolean
}

/** Cuts each connection after a number of bytes, in one direction or the other, that is drawn below `most`. */
export async function startCuttingProxy(
  port: number,
  random: () => number,
  most: number,
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    const pass = (from: Socket, to: Socket, bytes: number): void => {
      let left = bytes
      from.on('data', (chunk: Buffer) => {
        if (!proxy.cutting || chunk.length < left) {
          left -= chunk.length
          to.write(chunk)
          return
        }
        cuts++
        to.end(chunk.subarray(0, left), end)
        left = 0
      })
    }
    const upwards = random() < 0.5
    const bytes = Math.floor(random() * most)
    pass(client, upstream, upwards ? bytes : Number.POSITIVE_INFINITY)
    // Answers are short.
    pass(upstream, client, upwards ? Number.POSITIVE_INFINITY : bytes % 2000)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
      socket.on('close', () => sockets.delete(socket))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts
    },
    cutting: true,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
  return proxy
}
