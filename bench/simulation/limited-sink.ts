import { createServer, type ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'

/**
 * An Elasticsearch that takes so many records a second, one bulk after the other, and nothing during an outage. Prints its port.
 * `POST /outage/on` and `/outage/off` begin and end one; `GET /delays` tells how long requests took from their first record's
 * timestamp until they were taken, as `[epoch milliseconds, delay]`.
 */
const { values } = parseArgs({ options: { rate: { type: 'string', default: '2500' } } })
const rate = Number(values.rate)

const delays: [number, number][] = []
let down = false
let freeAt = 0

/** Actions and documents take turns; the one at position 0 is the first record of its request. */
const FIRST_RECORD = /"_id":"[^"]*-0",[^\n]*\n\{"@timestamp":"(\d+)/g

function answer(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
    .end(body)
}

function takeBulk(body: string, response: ServerResponse): void {
  if (down) {
    answer(response, 503, '{}')
    return
  }
  const records = (body.split('\n').length - 1) / 2
  const now = performance.now()
  freeAt = Math.max(now, freeAt) + (records / rate) * 1000
  setTimeout(() => {
    if (down) {
      answer(response, 503, '{}')
      return
    }
    for (const [, timestamp] of body.matchAll(FIRST_RECORD))
      delays.push([Date.now(), Date.now() - Number(timestamp)])
    answer(response, 200, '{"errors":false}')
  }, freeAt - now)
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { url = '' } = request
    if (url.startsWith('/_bulk')) takeBulk(Buffer.concat(chunks).toString('latin1'), response)
    else if (url === '/delays') answer(response, 200, JSON.stringify(delays))
    else {
      if (url === '/outage/on') down = true
      if (url === '/outage/off') down = false
      answer(response, 200, '{}')
    }
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})
process.on('SIGTERM', () => process.exit(0))
