import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An Elasticsearch that keeps what matters: the running number of each document, by `_id`. */
export interface BulkSink extends AsyncDisposable {
  readonly url: string
  readonly documents: ReadonlyMap<string, number>
  /** Forgets what it was given. */
  clear(): void
  /** Which running numbers it refuses for good, as a wrong mapping does; none to begin with. */
  refuses: (sequence: number) => boolean
}

interface Action {
  readonly create: { readonly _id: string }
}

interface Document {
  readonly attributes: { readonly seq: number }
}

const REFUSED = {
  status: 400,
  error: {
    type: 'document_parsing_exception',
    reason: 'failed to parse field [attributes.seq] of type [long]',
  },
}

export async function startBulkSink(): Promise<BulkSink> {
  const documents = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().split('\n')
      const items: object[] = []
      for (let i = 0; i + 1 < lines.length; i += 2) {
        const { create } = JSON.parse(lines[i]) as Action
        const sequence = Number((JSON.parse(lines[i + 1]) as Document).attributes.seq)
        const refused = sink.refuses(sequence)
        if (!refused) documents.set(create._id, sequence)
        items.push({ create: refused ? REFUSED : { status: 201 } })
      }
      const answer = { errors: items.some((item) => 'error' in (item as { create: object }).create), items }
      response
        .writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
        .end(request.url?.startsWith('/_bulk') ? JSON.stringify(answer) : '{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sink: BulkSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    clear: () => documents.clear(),
    refuses: () => false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return sink
}
