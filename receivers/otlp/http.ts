import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { TLSSocket } from 'node:tls'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { Body } from './body.ts'
import type { HttpSettings } from './config.ts'
import type { Counts } from './counts.ts'
import { SizeLimit } from './decompress.ts'
import { type Door, NOBODY, type Sender } from './door.ts'
import type { Guard } from './guard.ts'
import type { Incoming, Intake } from './intake.ts'
import { addressText, closedBy, type Listener, listen } from './listen.ts'
import { type Outcome, Refusal } from './outcome.ts'
import { encodeStatus, encodeSuccess, statusJson, successJson } from './status.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** Serves OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Answers in the encoding of the request. */
export async function serveHttp(
  settings: HttpSettings,
  intake: Intake,
  counts: Counts,
  { certificates, door }: Guard,
): Promise<Listener> {
  const options = {
    headersTimeout: settings.read_header_timeout,
    requestTimeout: settings.read_timeout,
    keepAliveTimeout: settings.idle_timeout,
  }
  const server = certificates
    ? createSecureServer({ ...options, ...certificates.options })
    : createServer(options)
  certificates?.serve(server)
  const limit = new SizeLimit(settings.max_request_body_size, 'max_request_body_size')
  let closed: Promise<void> | undefined
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const type = mediaType(request)
    const incoming = new HttpRequest(request, type, settings.logs_url_path, limit, door)
    const outcome = await intake.take(incoming, counts)
    // A kept-alive connection would otherwise outlive a server that is stopping.
    if (closed !== undefined) response.setHeader('connection', 'close')
    const body = type === PROTOBUF ? protobuf(outcome) : json(outcome)
    response.writeHead(outcome.ok ? 200 : outcome.http, {
      'content-type': type === PROTOBUF ? PROTOBUF : JSON_TYPE,
      'content-length': Buffer.byteLength(body),
      ...(outcome.ok ? {} : outcome.headers),
    })
    response.end(body)
  }
  server.on('request', (request, response) => void answer(request, response))
  const address = await listen(server, 'HTTP', settings.endpoint)
  return {
    address: addressText(address),
    port: address.port,
    stop(deadline) {
      closed ??= close(server)
      return closedBy(deadline, closed, () => server.closeAllConnections())
    },
  }
}

/** A request in either encoding. */
class HttpRequest implements Incoming {
  readonly #request: IncomingMessage
  readonly #type: string
  readonly #path: string
  readonly #body: Body
  readonly #door: Door
  sender: Sender = NOBODY

  constructor(request: IncomingMessage, type: string, path: string, limit: SizeLimit, door: Door) {
    this.#request = request
    this.#type = type
    this.#path = path
    this.#body = new Body(request, limit)
    this.#door = door
  }

  async read(): Promise<Buffer> {
    const { method, url = '' } = this.#request
    if (url.split('?', 1)[0] !== this.#path) {
      throw new Refusal('not_found', `there is nothing here; logs go to ${this.#path}`)
    }
    if (method !== 'POST') throw new Refusal('method', `logs are sent with POST, not ${method}`)
    if (this.#type !== PROTOBUF && this.#type !== JSON_TYPE) {
      throw new Refusal('content_type', `the Content-Type is neither ${PROTOBUF} nor ${JSON_TYPE}`)
    }
    await this.#admit()
    const body = await this.#body.read()
    if (this.#length === undefined) this.sender.allowance?.take({ bytes: this.#body.size })
    return this.#type === JSON_TYPE ? encodeJsonRequest(body) : body
  }

  async #admit(): Promise<void> {
    const { headers, socket } = this.#request
    const certificate = () => (socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined)
    this.sender = await this.#door.admit({ headers, length: this.#length, certificate })
  }

  get #length(): number | undefined {
    const length = this.#request.headers['content-length']
    return length === undefined ? undefined : Number(length)
  }

  giveBack(): void {
    this.#body.giveBack()
  }
}

/** The Content-Type without its parameters, such as charset. */
function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()
}

function protobuf(outcome: Outcome): Buffer {
  return outcome.ok ? encodeSuccess(outcome) : encodeStatus(outcome)
}

function json(outcome: Outcome): string {
  return outcome.ok ? successJson(outcome) : statusJson(outcome)
}

function close(server: Pick<Server, 'close'>): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
