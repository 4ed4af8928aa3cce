import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** Something that takes messages over HTTP. */
export interface WebServer extends AsyncDisposable {
  readonly url: string
  /** Everything it was sent, refused or not. */
  readonly heard: Heard[]
  /** The status of the next answers; 0 gives none. The last one goes on. */
  answers: number[]
}

export async function startWebServer(...answers: number[]): Promise<WebServer> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const isJson = request.headers['content-type'] === 'application/json'
      const body: unknown = isJson ? JSON.parse(text) : text
      heard.push({ at: Date.now(), path: request.url ?? '', headers: request.headers, body })
      const status = started.answers.length > 1 ? started.answers.shift() : started.answers[0]
      if (status !== 0) response.writeHead(status ?? 200).end('because')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const started: WebServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return started
}
