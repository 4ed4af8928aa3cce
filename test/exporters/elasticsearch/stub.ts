import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as a stub saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface StubAnswer {
  readonly status?: number
  readonly body?: string | object
  readonly headers?: Readonly<Record<string, string>>
}

/** A server that answers what a test has it answer; `undefined` is no answer at all. */
export interface Stub extends AsyncDisposable {
  readonly url: string
  readonly host: string
  readonly seen: Seen[]
}

export async function startStub(answer: (request: Seen) => StubAnswer | undefined): Promise<Stub> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers: asked } = request
      const one = { method, path, headers: asked, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      const given = answer(one)
      if (given === undefined) return
      const { status = 200, body = '{}', headers = {} } = given
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A bulk request that every document of was taken. */
export const TAKEN: StubAnswer = { body: '{"errors":false}' }
