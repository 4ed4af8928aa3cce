import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A forward proxy that wants the user `me` and the password `pass`, and notes what it was asked for. */
export interface ConnectProxy extends AsyncDisposable {
  readonly host: string
  /** `CONNECT host:port`, `POST http://…` */
  readonly asked: string[]
}

const AUTHORIZATION = `Basic ${btoa('me:pass')}`

/** Tunnels what is to be tunnelled, and answers 200 with `body` to all else itself. */
export async function startConnectProxy(body = '{}'): Promise<ConnectProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const isAllowed = ({ method, url, headers }: IncomingMessage): boolean => {
    asked.push(`${method} ${url}`)
    return headers['proxy-authorization'] === AUTHORIZATION
  }
  const server = createServer((request, response) => {
    const status = isAllowed(request) ? 200 : 407
    request.resume().on('end', () => response.writeHead(status).end(status === 200 ? body : ''))
  })
  server.on('connect', (request, client: Socket) => {
    client.on('error', () => {})
    if (!isAllowed(request)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const [host, port] = String(request.url).split(':')
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => [client, upstream].forEach((one) => one.destroy()))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
