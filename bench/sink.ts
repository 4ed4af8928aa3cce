import { createServer } from 'node:http'
import { SampledLines } from './sampled-lines.ts'
import { type Latency, latencyOf } from './statistics.ts'

/**
 * An Elasticsearch that takes everything and keeps nothing: answers `_bulk` at once and counts documents. Of one
 * document in a hundred it notes how long ago its `@timestamp` was when the whole request had arrived.
 * `GET /report` tells, `POST /reset` starts anew. Prints its port on standard output.
 */
export interface SinkReport {
  readonly documents: number
  readonly latency: Latency
}

const ANSWER = '{"errors":false}'

let documents = 0
let latencies: number[] = []

const server = createServer((request, response) => {
  if (request.url === '/report') {
    response.end(JSON.stringify({ documents, latency: latencyOf(latencies) } satisfies SinkReport))
    return
  }
  if (request.url === '/reset') {
    documents = 0
    latencies = []
    response.end()
    return
  }
  const lines = new SampledLines()
  request.on('data', (chunk: Buffer) => lines.read(chunk))
  request.on('end', () => {
    documents += lines.count / 2
    const now = Date.now()
    for (const time of lines.times) latencies.push(now - time)
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
      .end(request.url?.startsWith('/_bulk') ? ANSWER : '{}')
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})
process.on('SIGTERM', () => process.exit(0))
