import { createServer } from 'node:http'

/**
 * An Elasticsearch that takes everything and keeps nothing: answers `_bulk` at once and counts documents.
 * `GET /count` tells how many. Prints its port on standard output.
 */
let documents = 0
const ANSWER = '{"errors":false}'
const NEWLINE = 0x0a

const server = createServer((request, response) => {
  if (request.url === '/count') {
    response.end(String(documents))
    return
  }
  let lines = 0
  request.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines++
  })
  request.on('end', () => {
    documents += lines / 2
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
