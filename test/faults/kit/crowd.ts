import { once } from 'node:events'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { Client } from 'undici'
import type { Ledger } from './ledger.ts'
import { ACKNOWLEDGED, type Answer, type Sender } from './senders.ts'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
/** As long as SDKs give a request: milliseconds. */
const TIMEOUT = 10_000
/** A client that has this many refusals in a row gives the request up: under overload there is no place for all. */
const ATTEMPTS = 3

/** Very many clients of one process, each with a connection of its own, over gRPC and HTTP in turn. */
export interface Crowd extends AsyncDisposable {
  /** Issues nothing more, and resolves when all have their answers. */
  finish(): Promise<void>
}

export interface CrowdOptions {
  readonly ledger: Ledger
  readonly grpc: number
  readonly http: number
  readonly clients: number
  /** Of one request. */
  readonly records: number
  readonly bodyLength?: number
  /** Milliseconds from one attempt of a client to its next, be it the same request again or another. */
  readonly interval: number
}

/** Connects all clients at once; resolves when each has its connection, and they have begun to send. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const { ledger, grpc, http, clients, records, bodyLength, interval } = options
  const senders = await Promise.all(
    Array.from({ length: clients }, (_, i) => (i % 2 ? lightGrpcSender(grpc) : lightHttpSender(http))),
  )
  const ending = new AbortController()

  async function sendOneByOne(sender: Sender, index: number): Promise<void> {
    let due = performance.now() + (index / clients) * interval
    const pause = async (): Promise<void> => {
      const ms = Math.max(0, due - performance.now())
      due = Math.max(due, performance.now()) + interval
      await delay(ms, undefined, { signal: ending.signal }).catch(() => {})
    }
    while (!ending.signal.aborted) {
      const request = ledger.issue(records, bodyLength)
      for (let attempt = 0; attempt < ATTEMPTS && !ending.signal.aborted; attempt++) {
        const answer = await sender.send(request.bytes)
        if (answer === ACKNOWLEDGED) {
          ledger.acknowledge(request)
          break
        }
        ledger.refuse(request, answer)
        if (attempt < ATTEMPTS - 1) await pause()
      }
      await pause()
    }
  }

  const sending = Promise.all(senders.map(sendOneByOne))
  sending.catch(() => {})
  const finish = async (): Promise<void> => {
    ending.abort()
    try {
      await sending
    } finally {
      for (const sender of senders) sender[Symbol.dispose]()
    }
  }
  return { finish, [Symbol.asyncDispose]: () => finish().catch(() => {}) }
}

/** What a client library would do costs too much a thousand times over. */
async function lightGrpcSender(port: number): Promise<Sender> {
  let session = await openSession(port)
  return {
    async send(bytes) {
      if (session.destroyed || session.closed) session = await openSession(port)
      return await exportOver(session, bytes)
    },
    [Symbol.dispose]: () => session.destroy(),
  }
}

async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  await once(session, 'connect')
  return session
}

function exportOver(session: ClientHttp2Session, message: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = { ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request(headers)
    let answer = 'no answer'
    const read = (fields: IncomingHttpHeaders): void => {
      if (fields['grpc-status'] === undefined) return
      const details = Buffer.from(fields['grpc-status-details-bin']?.toString() ?? '', 'base64')
      const hint = details.includes('google.rpc.RetryInfo') ? ' with RetryInfo' : ''
      const code = Number(fields['grpc-status'])
      answer = code === status.OK ? ACKNOWLEDGED : `${status[code]}${hint}`
    }
    stream.on('response', read).on('trailers', read)
    stream.on('error', () => {})
    stream.once('close', () => resolve(answer))
    stream.setTimeout(TIMEOUT, () => stream.destroy())
    stream.resume()
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    stream.write(prefix)
    stream.end(message)
  })
}

async function lightHttpSender(port: number): Promise<Sender> {
  const client = new Client(`http://127.0.0.1:${port}`, { headersTimeout: TIMEOUT, bodyTimeout: TIMEOUT })
  const connected = once(client, 'connect')
  const headers = { 'content-type': 'application/x-protobuf' }
  const options = await client.request({ method: 'OPTIONS', path: '/v1/logs' })
  await options.body.dump()
  await connected
  return {
    async send(body) {
      try {
        const answer = await client.request({ method: 'POST', path: '/v1/logs', headers, body })
        await answer.body.dump()
        if (answer.statusCode === 200) return ACKNOWLEDGED
        const hint = answer.headers['retry-after'] === undefined ? '' : ' with Retry-After'
        return `${answer.statusCode}${hint}`
      } catch {
        return 'no answer'
      }
    },
    [Symbol.dispose]: () => void client.destroy(),
  }
}
