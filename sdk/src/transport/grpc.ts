import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Diagnostics } from '../pipe/options.ts'
import { type Answer, oneLine, type Transport } from './answer.ts'
import type { Destination, Headers } from './destination.ts'
import { headersOf } from './headers.ts'
import { readExportResponse } from './response.ts'
import { readStatus } from './status.ts'
import { RENEWAL_MILLIS, readPem } from './tls.ts'
import { USER_AGENT } from './user-agent.ts'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
/** The number of gzip in `grpc.default_compression_algorithm`. */
const GZIP = 2

/** https://opentelemetry.io/docs/specs/otlp/#failures */
const RETRYABLE: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
])

/** How long until a connection that failed is tried again. The library's own two minutes outlast most outages. */
const RECONNECT = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
}

/** OTLP/gRPC: requests are passed through as the bytes they are. */
export class GrpcTransport implements Transport {
  readonly #destination: Destination
  readonly #diagnostics: Diagnostics
  readonly #calls = new Set<{ cancel(): void }>()
  #client: Client | undefined
  #createdAt = 0
  #closed = false

  constructor(destination: Destination, diagnostics: Diagnostics) {
    this.#destination = destination
    this.#diagnostics = diagnostics
  }

  async send(request: Buffer): Promise<Answer> {
    const deadline = Date.now() + this.#destination.timeoutMillis
    try {
      const headers = await headersOf(this.#destination)
      if (this.#closed) throw new Error('the pipe is closed')
      const client = (this.#client ??= this.#connect())
      const answer = await this.#call(client, request, this.#metadata(headers), deadline)
      if (answer.kind === 'retryable' && answer.waitMillis === undefined) this.#renew(client, answer.reason)
      return answer
    } catch (error) {
      return { kind: 'retryable', reason: 'client', message: oneLine(String(error)), waitMillis: undefined }
    }
  }

  close(): void {
    this.#closed = true
    for (const call of this.#calls) call.cancel()
    this.#client?.close()
    this.#client = undefined
  }

  #call(client: Client, request: Buffer, metadata: Metadata, deadline: number): Promise<Answer> {
    return new Promise((resolve) => {
      const call = client.makeUnaryRequest(
        EXPORT,
        asItIs,
        asItIs,
        request,
        metadata,
        { deadline },
        (error, response) => {
          this.#calls.delete(call)
          resolve(
            error ? failure(error) : { kind: 'taken', ...readExportResponse(response ?? Buffer.alloc(0)) },
          )
        },
      )
      this.#calls.add(call)
    })
  }

  #connect(): Client {
    const { url, compression, tls } = this.#destination
    const { certificate = null, clientKey = null, clientCertificate = null } = readPem(tls)
    const { protocol, host, port } = new URL(url)
    const secure = protocol === 'https:'
    this.#createdAt = performance.now()
    return new Client(
      // The URL leaves out the port that is its protocol's own.
      port === '' ? `${host}:${secure ? 443 : 80}` : host,
      secure
        ? credentials.createSsl(certificate, clientKey, clientCertificate)
        : credentials.createInsecure(),
      {
        ...RECONNECT,
        'grpc.primary_user_agent': USER_AGENT,
        'grpc.enable_retries': 0,
        // A new client is to have a new connection.
        'grpc.use_local_subchannel_pool': 1,
        ...(compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
      },
    )
  }

  /** A connection may be dead without anybody having said so; certificates may be new. */
  #renew(client: Client, reason: string): void {
    if (client !== this.#client) return
    const old = performance.now() - this.#createdAt > RENEWAL_MILLIS
    if (reason !== status[status.DEADLINE_EXCEEDED] && !old) return
    this.#client = undefined
    client.close()
  }

  #metadata(headers: Headers): Metadata {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) {
      try {
        metadata.set(name, value)
      } catch {
        this.#diagnostics.warn(
          'header',
          `the header ${JSON.stringify(name)} is not valid in gRPC and is left out`,
        )
      }
    }
    return metadata
  }
}

const asItIs = (message: Buffer): Buffer => message

function failure({ code, details, metadata }: ServiceError): Answer {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? []
  const { retryMillis } = readStatus(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0))
  const reason = status[code] ?? String(code)
  const message = oneLine(`${reason}: ${details}`)
  const retryable = RETRYABLE.has(code) || (code === status.RESOURCE_EXHAUSTED && retryMillis !== undefined)
  return retryable
    ? { kind: 'retryable', reason, message, waitMillis: retryMillis }
    : { kind: 'refused', reason, message }
}
