import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { otlp } from '../../../receivers/otlp/index.ts'
import { OtlpReceiver } from '../../../receivers/otlp/receiver.ts'
import type { Push } from '../../../src/component.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { LEN, VARINT, WireReader } from '../../../src/logs/wire.ts'
import { type TestContext, testContext } from '../../support/component.ts'

export const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
export const PROTOBUF = 'application/x-protobuf'
/** All ways to serve gRPC; what is true of one is true of the others, unless a test says so. */
export const IMPLEMENTATIONS = ['sluice', 'http2', 'grpc-js'] as const
/** Those that are ours from the stream on. */
export const OURS = ['sluice', 'http2'] as const
export type Implementation = (typeof IMPLEMENTATIONS)[number]
const BOTH: Protocols = { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } }

export interface Protocols {
  readonly grpc?: object
  readonly http?: object
}

export interface Harness {
  readonly receiver: OtlpReceiver
  readonly context: TestContext
  /** What was pushed. */
  readonly batches: LogBatch[]
  readonly log: Record<string, unknown>[]
  /** Exports one request by gRPC, raw bytes out and in. */
  readonly grpc: (request: Uint8Array, options?: ClientOptions) => Promise<GrpcAnswer>
  /** Posts to `/v1/logs`, protobuf unless `headers` say otherwise. */
  readonly post: (body: Uint8Array | string, headers?: Record<string, string>) => Promise<HttpAnswer>
  readonly url: (path?: string) => string
}

export interface GrpcAnswer {
  readonly code: number
  readonly message: string
  readonly body: Buffer
  readonly details: Buffer | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** An otlp receiver that listens on free ports until the test ends. */
export async function serve(
  push?: Push,
  protocols?: Protocols,
  limits?: object,
  more?: object,
): Promise<Harness> {
  const harness = create(push, protocols, limits, more)
  await harness.receiver.start()
  return harness
}

/** The same, with gRPC served by one of the implementations. */
export function serveBy(implementation: Implementation): typeof serve {
  return (push, protocols = BOTH, limits = {}) => serve(push, by(implementation, protocols), limits)
}

/** Protocols of which gRPC, if it is on, is served by one of the implementations. */
export function by(implementation: Implementation, protocols: Protocols = BOTH): Protocols {
  return protocols.grpc ? { ...protocols, grpc: { implementation, ...protocols.grpc } } : protocols
}

export function create(
  push: Push = async () => {},
  protocols: Protocols = BOTH,
  limits: object = {},
  more: object = {},
): Harness {
  const context = testContext()
  const batches: LogBatch[] = []
  const log: Record<string, unknown>[] = []
  const receiver = otlp.create(otlp.config.parse({ protocols, limits, ...more }), {
    ...context,
    log: pino({}, { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) }),
    push: async (batch, signal) => {
      batches.push(batch)
      await push(batch, signal)
    },
  })
  if (!(receiver instanceof OtlpReceiver)) throw new Error('not an OtlpReceiver')
  onTestFinished(() => receiver.stop(AbortSignal.abort()))
  const url = (path = '/v1/logs'): string => `http://127.0.0.1:${receiver.port('http')}${path}`
  return {
    receiver,
    context,
    batches,
    log,
    url,
    grpc: (request, options) => exportGrpc(receiver.port('grpc') ?? 0, request, options),
    async post(body, headers = {}) {
      const response = await fetch(url(), {
        method: 'POST',
        body: typeof body === 'string' ? body : Buffer.from(body),
        headers: { 'content-type': PROTOBUF, ...headers },
      })
      return {
        status: response.status,
        headers: response.headers,
        body: Buffer.from(await response.arrayBuffer()),
      }
    },
  }
}

function exportGrpc(port: number, request: Uint8Array, options: ClientOptions = {}): Promise<GrpcAnswer> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  const asItIs = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, body?: Buffer): void => {
      client.close()
      const detail = error?.metadata.get('grpc-status-details-bin')[0]
      resolve({
        code: error?.code ?? 0,
        message: error?.details ?? '',
        body: body ?? Buffer.alloc(0),
        details: Buffer.isBuffer(detail) ? detail : undefined,
      })
    }
    client.makeUnaryRequest(EXPORT, asItIs, asItIs, Buffer.from(request), new Metadata(), done)
  })
}

/** A call over plain HTTP/2, whose bytes are sent as they are, which no gRPC client would. */
export interface RawCall {
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
  /** Headers and trailers of the answer together; rejects where there is none. */
  readonly answer: Promise<IncomingHttpHeaders>
}

/** A connection over plain HTTP/2 that lasts until the test ends. */
export function rawSession(port: number, options?: SecureClientSessionOptions): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, options)
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  return session
}

/** Resolves when all that was sent on a connection has been received, and what came back. */
export async function roundTrip(session: ClientHttp2Session): Promise<void> {
  if (session.connecting) await once(session, 'connect')
  await new Promise((resolve) => session.ping(resolve))
}

export function rawCall(
  to: number | ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  options?: ClientSessionRequestOptions,
): RawCall {
  const session = typeof to === 'number' ? rawSession(to) : to
  const stream = session.request(
    { ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc', te: 'trailers', ...headers },
    options,
  )
  const answer = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    let all: IncomingHttpHeaders | undefined
    const add = (more: IncomingHttpHeaders): void => {
      all = { ...all, ...more }
    }
    stream.on('response', add)
    stream.on('trailers', add)
    stream.on('error', reject)
    stream.on('end', () => {
      if (all) resolve(all)
    })
    stream.on('close', () => reject(new Error(`no answer, code ${stream.rstCode}`)))
    stream.resume()
  })
  answer.catch(() => {})
  return { session, stream, answer }
}

/** Sends a whole request body at once. Resolves with headers and trailers of the answer. */
export async function rawGrpc(
  port: number,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const { session, stream, answer } = rawCall(port, headers)
  stream.end(body)
  try {
    return await answer
  } finally {
    session.destroy()
  }
}

/** A gRPC message: compressed or not, four bytes of length, the bytes. */
export function frame(message: Uint8Array, compressed = 0, length = message.length): Buffer {
  const prefix = Buffer.from([compressed, 0, 0, 0, 0])
  prefix.writeUInt32BE(length, 1)
  return Buffer.concat([prefix, message])
}

/** The fields of a protobuf message by number: varints as numbers, the rest as bytes. */
export function fieldsOf(bytes: Buffer): Map<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>()
  const reader = new WireReader(bytes)
  while (reader.pos < bytes.length) {
    const tag = reader.tag(bytes.length)
    const values = fields.get(tag >>> 3) ?? []
    fields.set(tag >>> 3, values)
    if ((tag & 7) === VARINT) values.push(reader.varint(bytes.length))
    else if ((tag & 7) === LEN) {
      const end = reader.length(bytes.length)
      values.push(bytes.subarray(reader.pos, end))
      reader.pos = end
    } else throw new Error(`wire type of ${tag}`)
  }
  return fields
}

/** A `google.rpc.Status`: its code, message, and details by the last part of their type. */
export function statusOf(bytes: Buffer): { code: number; message: string; details: Map<string, Buffer> } {
  const fields = fieldsOf(bytes)
  const details = (fields.get(3) ?? []).map((any): [string, Buffer] => {
    const [type, value] = [1, 2].map((number) => fieldsOf(any as Buffer).get(number)?.[0] as Buffer)
    return [type.toString().replace('type.googleapis.com/google.rpc.', ''), value]
  })
  return { code: Number(fields.get(1)?.[0]), message: String(fields.get(2)?.[0]), details: new Map(details) }
}

/** Milliseconds of a `google.rpc.RetryInfo`. */
export function retryDelayOf(bytes: Buffer): number {
  const delay = fieldsOf(fieldsOf(bytes).get(1)?.[0] as Buffer)
  return Number(delay.get(1)?.[0]) * 1000 + Number(delay.get(2)?.[0]) / 1e6
}

/** A promise, and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: () => resolve() }
}
