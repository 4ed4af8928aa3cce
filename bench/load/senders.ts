import { Client } from 'undici'
import type { Protocol } from './frames.ts'
import { GrpcSender } from './grpc-sender.ts'

/** One connection to a collector: low-cost clients, since they share the machine with what they measure. */
export interface Sender {
  /** Whether the request was accepted. Rejects when the connection breaks. */
  send(body: Buffer): Promise<boolean>
  close(): Promise<void>
}

/** More at once would overrun what a server lets wait. */
const CONNECTING = 100

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
  const { hostname, port } = new URL(`http://${target}`)
  return await GrpcSender.open(hostname, Number(port), {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    ':authority': target,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(gzip && { 'grpc-encoding': 'gzip' }),
  })
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
