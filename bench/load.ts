import { type ClientHttp2Session, connect } from 'node:http2'
import { parseArgs } from 'node:util'
import { makePayload } from './payload.ts'

/**
 * An OTLP/gRPC client that costs little: prepared requests over plain HTTP/2, a fixed number under way on each
 * connection. Refused requests are sent again, as an SDK would. Prints one line of JSON when it is done.
 */
const { values } = parseArgs({
  options: {
    target: { type: 'string', default: '127.0.0.1:4317' },
    records: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '4' },
    inflight: { type: 'string', default: '4' },
    payloads: { type: 'string', default: '40' },
  },
})
const records = Number(values.records)
const frames = Array.from({ length: Number(values.payloads) }, (_, seed) => {
  const payload = makePayload({ records, seed: seed + 1 })
  const frame = Buffer.alloc(5 + payload.length)
  frame.writeUInt32BE(payload.length, 1)
  payload.copy(frame, 5)
  return frame
})
const HEADERS = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
}
const RETRY_MS = 50

let next = 0
let accepted = 0
let refused = 0
const latencies: number[] = []

function send(session: ClientHttp2Session, frame: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const stream = session.request(HEADERS)
    let status = ''
    stream.on('response', (headers) => {
      status = String(headers['grpc-status'] ?? '')
    })
    stream.on('trailers', (trailers) => {
      status = String(trailers['grpc-status'] ?? status)
    })
    stream.on('data', () => {})
    stream.on('error', reject)
    stream.on('end', () => resolve(status === '0'))
    stream.end(frame)
  })
}

async function worker(session: ClientHttp2Session, until: number): Promise<void> {
  while (performance.now() < until) {
    const frame = frames[next++ % frames.length]
    const started = performance.now()
    while (!(await send(session, frame))) {
      refused++
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    latencies.push(performance.now() - started)
    accepted++
  }
}

const started = performance.now()
const until = started + Number(values.seconds) * 1000
const sessions = await Promise.all(
  Array.from(
    { length: Number(values.connections) },
    () =>
      new Promise<ClientHttp2Session>((resolve, reject) => {
        const session = connect(`http://${values.target}`, { settings: { initialWindowSize: 1 << 20 } })
        session.once('connect', () => resolve(session)).once('error', reject)
      }),
  ),
)
await Promise.all(
  sessions.flatMap((session) =>
    Array.from({ length: Number(values.inflight) }, () => worker(session, until)),
  ),
)
for (const session of sessions) session.close()
const seconds = (performance.now() - started) / 1000
latencies.sort((a, b) => a - b)
const quantile = (q: number): number =>
  latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]
const { user, system } = process.cpuUsage()
process.stdout.write(
  `${JSON.stringify({
    requests: accepted,
    records: accepted * records,
    refused,
    seconds,
    p50: quantile(0.5),
    p99: quantile(0.99),
    bytesPerRecord: frames[0].length / records,
    cpuSeconds: (user + system) / 1e6,
  })}\n`,
)
