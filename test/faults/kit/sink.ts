import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Arrival, Documents } from './documents.ts'
import { hashOf } from './payload.ts'

interface Action {
  readonly create: { readonly _id: string }
}

interface Document {
  readonly body: { readonly text: string }
  readonly attributes: { readonly seq: number | string; readonly note: string }
}

/** A bulk request whose documents are stored, and not answered yet. */
export interface Committed {
  readonly headers: IncomingHttpHeaders
  readonly arrivals: readonly Arrival[]
}

/** An Elasticsearch as far as `_bulk` with `create` goes, which tells what it holds. */
export interface Sink extends AsyncDisposable {
  readonly url: string
  readonly documents: Documents
  /** Awaited after documents are stored and before the answer; the answer never comes where it returns `cut`. */
  afterCommit: ((committed: Committed) => Promise<'cut' | undefined>) | undefined
  /** Listens no more, and cuts what is connected. */
  down(): Promise<void>
  /** Listens again, at the same place. */
  up(): Promise<void>
}

/** `exact` as in `Documents`. */
export async function startSink(exact = true): Promise<Sink> {
  const documents = new Documents(exact)
  const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      if (!request.url?.startsWith('/_bulk')) {
        response.writeHead(200, headers).end('{}')
        return
      }
      const arrivals = readBulk(Buffer.concat(chunks).toString())
      const statuses = arrivals.map((arrival) => documents.create(arrival))
      const answer = (cut?: 'cut'): void => {
        if (cut) request.socket.destroy()
        else response.writeHead(200, headers).end(bulkAnswer(statuses))
      }
      if (sink.afterCommit) void sink.afterCommit({ headers: request.headers, arrivals }).then(answer)
      else answer()
    })
  })
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const sink: Sink = {
    url: `http://127.0.0.1:${port}`,
    documents,
    afterCommit: undefined,
    down,
    up: () => listen(server, port),
    [Symbol.asyncDispose]: down,
  }
  return sink
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

/** The documents of a bulk body, in order. */
export function readBulk(text: string): Arrival[] {
  const lines = text.split('\n')
  const arrivals: Arrival[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const { create } = JSON.parse(lines[i]) as Action
    const { body, attributes } = JSON.parse(lines[i + 1]) as Document
    const hash = hashOf(body.text, attributes.note)
    arrivals.push({ id: create._id, seq: Number(attributes.seq), hash })
  }
  return arrivals
}

function bulkAnswer(statuses: readonly number[]): string {
  if (statuses.every((status) => status === 201)) return '{"errors":false}'
  return JSON.stringify({ errors: true, items: statuses.map((status) => ({ create: { status } })) })
}
