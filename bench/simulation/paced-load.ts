import { type ClientHttp2Session, connect } from 'node:http2'
import { parseArgs } from 'node:util'
import { makePayload } from '../payload.ts'
import { Load } from './load.ts'

/**
 * An open loop over OTLP/gRPC: requests leave at their time, whatever became of those before. What is refused is sent again
 * after a second, as RetryInfo asks. `steps` is JSON, `[[ms, factor], …]`; `begin` is in epoch milliseconds. Prints a line of JSON
 * at the end.
 */
const { values } = parseArgs({
  options: {
    target: { type: 'string', default: '127.0.0.1:4317' },
    records: { type: 'string', default: '50' },
    rate: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '[]' },
    begin: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '10' },
  },
})
const HEADERS = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
}
const RETRY_MS = 1000
const CONNECTIONS = 8

const records = Number(values.records)
const load = new Load(JSON.parse(values.steps) as [number, number][])
let requests = 0
let refused = 0
/** How long after its time a request left, and how long one was under way that was taken: milliseconds, at most. */
let late = 0
let slowest = 0

/** A request with timestamps of now. */
function frame(seed: number): Buffer {
  const payload = makePayload({ records, seed })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

/** Whether it was taken. A stream that breaks is a refusal too: the server has more than it can hold. */
function send(session: ClientHttp2Session, message: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = session.request(HEADERS)
    let status = ''
    const note = (headers: { readonly 'grpc-status'?: string | string[] }): void => {
      status = headers['grpc-status']?.toString() ?? status
    }
    stream.on('response', note).on('trailers', note)
    stream.on('data', () => {})
    stream.on('error', () => resolve(false))
    stream.on('end', () => resolve(status === '0'))
    stream.end(message)
  })
}

async function deliver(session: ClientHttp2Session, message: Buffer): Promise<void> {
  for (;;) {
    const sent = performance.now()
    if (await send(session, message)) {
      slowest = Math.max(slowest, performance.now() - sent)
      return
    }
    refused++
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

const sessions = await Promise.all(
  Array.from(
    { length: CONNECTIONS },
    () =>
      new Promise<ClientHttp2Session>((resolve, reject) => {
        const session = connect(`http://${values.target}`, { settings: { initialWindowSize: 1 << 20 } })
        session.once('connect', () => resolve(session)).once('error', reject)
      }),
  ),
)
const began = Math.max(Date.now(), Number(values.begin))
const end = Number(values.seconds) * 1000
const underWay: Promise<void>[] = []
for (let due = 0; due < end; due += (records / Number(values.rate) / load.at(due)) * 1000) {
  const early = due - (Date.now() - began)
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
  late = Math.max(late, Date.now() - began - due)
  underWay.push(deliver(sessions[requests % CONNECTIONS], frame(++requests)))
}
await Promise.all(underWay)
for (const session of sessions) session.close()
process.stdout.write(`${JSON.stringify({ requests, refused, late, slowest })}\n`)
