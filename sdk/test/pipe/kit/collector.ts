import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { encodeStatus, encodeSuccess } from '../../../../receivers/otlp/status.ts'
import { eventually } from '../../../../test/e2e/sluice.ts'
import { seqsOf } from './records.ts'

/** How a collector answers a request. */
export interface Reply {
  /** Of gRPC. */
  readonly code?: number
  /** Of HTTP. */
  readonly http?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly message?: string
  /** In `RetryInfo`. */
  readonly retryMs?: number
  /** In `partial_success`. */
  readonly rejected?: number
  /** Instead of a `Status` or `ExportLogsServiceResponse`. */
  readonly body?: Buffer | string
  /** Closes the connection instead; with `http: 200`, after it took the request. */
  readonly cut?: boolean
  /** Never answers. */
  readonly silent?: boolean
}

export interface CollectorOptions {
  readonly port?: number
  readonly tls?: { readonly ca?: Buffer; readonly key: Buffer; readonly cert: Buffer }
}

/** What a collector was sent, and says to it. */
export interface Collector extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Unpacked, in the order they came; those that were not taken too. */
  readonly requests: readonly Buffer[]
  /** Of requests that were taken. The same request is one, however often it came, as with Sluice. */
  readonly seqs: readonly number[]
  readonly headers: readonly IncomingHttpHeaders[]
  readonly connections: number
  /** Says to the next requests; the last reply holds for all after. */
  answer(...replies: Reply[]): void
  /** Resolves when so many requests have come. */
  received(requests: number): Promise<void>
  /** Resolves when so many records were taken. */
  taken(records: number): Promise<void>
}

class Book {
  readonly requests: Buffer[] = []
  readonly headers: IncomingHttpHeaders[] = []
  readonly #taken = new Map<string, number[]>()
  #replies: readonly Reply[] = [{}]
  connections = 0

  get seqs(): number[] {
    return [...this.#taken.values()].flat()
  }

  answer(...replies: Reply[]): void {
    this.#replies = replies
  }

  async received(requests: number): Promise<void> {
    await eventually(`${requests} requests came`, async () => this.requests.length >= requests)
  }

  async taken(records: number): Promise<void> {
    await eventually(`${records} records were taken`, async () => this.seqs.length >= records)
  }

  next(request: Buffer, headers: IncomingHttpHeaders): Reply {
    this.requests.push(request)
    this.headers.push(headers)
    const reply = this.#replies[0] ?? {}
    if (this.#replies.length > 1) this.#replies = this.#replies.slice(1)
    return reply
  }

  take(request: Buffer): void {
    this.#taken.set(request.toString('latin1'), seqsOf(request))
  }
}

/** A collector for OTLP/HTTP. */
export async function startHttpCollector({ port = 0, tls }: CollectorOptions = {}): Promise<Collector> {
  const book = new Book()
  const handle = (body: Buffer, headers: IncomingHttpHeaders, response: ServerResponse): void => {
    const request = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    const reply = book.next(request, headers)
    if (reply.silent) return
    if (reply.cut) {
      if (reply.http === 200) book.take(request)
      response.destroy()
      return
    }
    const { http = 200, message = '', retryMs, rejected = 0, code = status.UNKNOWN } = reply
    if (http === 200) book.take(request)
    const own =
      http === 200
        ? encodeSuccess({ ok: true, rejected, message })
        : encodeStatus({ ok: false, code, http, headers: {}, reason: '', message, retryMs })
    response
      .writeHead(http, { 'content-type': 'application/x-protobuf', ...reply.headers })
      .end(reply.body ?? own)
  }
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => handle(Buffer.concat(chunks), request.headers, response))
  }
  const server = tls
    ? createSecureServer({ ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: true }, listener)
    : createServer(listener)
  server.on(tls ? 'secureConnection' : 'connection', () => book.connections++)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  return Object.assign(book, {
    port: bound,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${bound}/v1/logs`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
}

/** A collector for OTLP/gRPC. */
export async function startGrpcCollector({ port = 0, tls }: CollectorOptions = {}): Promise<Collector> {
  const book = new Book()
  const server = new Server()
  const asItIs = (bytes: Buffer): Buffer => bytes
  const service = {
    Export: {
      path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  }
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
    const reply = book.next(
      call.request,
      Object.fromEntries(Object.entries(call.metadata.getMap()).map(([k, v]) => [k, String(v)])),
    )
    if (reply.silent) return
    const { code = status.OK, message = '', retryMs, rejected = 0 } = reply
    if (code === status.OK) {
      book.take(call.request)
      done(null, encodeSuccess({ ok: true, rejected, message }))
      return
    }
    const metadata = new Metadata()
    const details = encodeStatus({ ok: false, code, http: 0, headers: {}, reason: '', message, retryMs })
    metadata.set('grpc-status-details-bin', details)
    done({ code, details: message, metadata })
  }
  server.addService(service, { Export: handle })
  const credentials = tls
    ? ServerCredentials.createSsl(
        tls.ca ?? null,
        [{ private_key: tls.key, cert_chain: tls.cert }],
        tls.ca !== undefined,
      )
    : ServerCredentials.createInsecure()
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
  return Object.assign(book, {
    port: bound,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${bound}`,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  })
}
