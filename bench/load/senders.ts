import { type ClientHttp2Session, connect } from 'node:http2'
import { Client } from 'undici'
import type { Protocol } from './frames.ts'

/** One connection to a collector: low-cost clients, since they share the machine with what they measure. */
export interface Sender {
  /** Whether the request was accepted. Rejects when the connection breaks. */
  send(body: Buffer): Promise<boolean>
  close(): Promise<void>
}

/** More at once would overrun what a server lets wait. */
const CONNECTING = 100
const WINDOW_BYTES = 1 << 20

/** Opens `connections` of them, spread evenly over the targets. */
export async function openSenders(options: {
  readonly targets: readonly string[]
  readonly protocol: Protocol
  readonly connections: number
  readonly gzip: boolean
}): Promise<Sender[]> {
  const { targets, protocol, connections, gzip } = options
  const open = protocol === 'grpc' ? openGrpc : openHttp
  const senders: Sender[] = []
  while (senders.length < connections) {
    const count = Math.min(CONNECTING, connections - senders.length)
    const more = Array.from({ length: count }, (_, index) =>
      open(targets[(senders.length + index) % targets.length], gzip),
    )
    senders.push(...(await Promise.all(more)))
  }
  return senders
}

async function openGrpc(target: string, gzip: boolean): Promise<Sender> {
  const headers = {
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(gzip && { 'grpc-encoding': 'gzip' }),
  }
  const session = await new Promise<ClientHttp2Session>((resolve, reject) => {
    const opening = connect(`http://${target}`, { settings: { initialWindowSize: WINDOW_BYTES } })
    opening.once('connect', () => resolve(opening)).once('error', reject)
  })
  return {
    send: (body) =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers)
        let status = ''
        stream.on('response', (answer) => {
          status = String(answer['grpc-status'] ?? '')
        })
        stream.on('trailers', (trailers) => {
          status = String(trailers['grpc-status'] ?? status)
        })
        stream.on('data', () => {})
        // A stream that is reset is refused; a connection that breaks is an error.
        stream.on('error', (error: NodeJS.ErrnoException) =>
          error.code === 'ERR_HTTP2_STREAM_ERROR' ? resolve(false) : reject(error),
        )
        stream.on('end', () => resolve(status === '0'))
        stream.end(body)
      }),
    close: () => new Promise((resolve) => session.close(resolve)),
  }
}

async function openHttp(target: string, gzip: boolean): Promise<Sender> {
  const client = new Client(`http://${target}`)
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(gzip && { 'content-encoding': 'gzip' }),
  }
  return {
    async send(body) {
      const answer = await client.request({ method: 'POST', path: '/v1/logs', headers, body })
      await answer.body.dump()
      return answer.statusCode === 200
    },
    close: () => client.close(),
  }
}
