import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An Elasticsearch that takes everything while it is up, and nothing while it is not. */
export interface Destination extends AsyncDisposable {
  readonly url: string
  isUp: boolean
}

export async function startDestination(): Promise<Destination> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }
      response.writeHead(destination.isUp ? 200 : 503, headers).end('{"errors":false}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const destination: Destination = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isUp: true,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return destination
}
