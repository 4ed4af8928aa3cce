import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An Elasticsearch that takes everything, and keeps what matters: the running number of each document, by `_id`. */
export interface BulkSink extends AsyncDisposable {
  readonly url: string
  readonly documents: ReadonlyMap<string, number>
  /** Forgets what it was given. */
  clear(): void
}

interface Action {
  readonly create: { readonly _id: string }
}

interface Document {
  readonly attributes: { readonly seq: number }
}

export async function startBulkSink(): Promise<BulkSink> {
  const documents = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().split('\n')
      for (let i = 0; i + 1 < lines.length; i += 2) {
        const { create } = JSON.parse(lines[i]) as Action
        documents.set(create._id, Number((JSON.parse(lines[i + 1]) as Document).attributes.seq))
      }
      response
        .writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
        .end(request.url?.startsWith('/_bulk') ? '{"errors":false}' : '{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    clear: () => documents.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
