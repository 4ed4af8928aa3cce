import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { TLSSocket } from 'node:tls'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'
import type { HttpSettings } from '../config.ts'
import { SizeLimit } from '../decompression/decompress.ts'
import { type Door, NOBODY, type Sender } from '../door/door.ts'
import type { Entrance } from '../entrance.ts'
import type { Incoming } from '../intake.ts'
import type { Hold } from '../limits/in-flight.ts'
import { closedBy, type Listener, listen } from '../listen/listen.ts'
import { type Outcome, Refusal, refused } from '../outcome.ts'
import { httpAnswer, JSON_TYPE, PROTOBUF } from './answer.ts'
import { Body } from './body.ts'
import { BrokenRequests } from './broken-requests.ts'
import { Cors } from './cors.ts'
import { SlowBodies } from './slow-bodies.ts'

/** How exactly times are kept. */
const TICK_MS = 250

/** Serves OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Answers in the encoding of the request. */
export async function serveHttp(
  settings: HttpSettings,
  { intake, counts, limits, connections, guard: { certificates, door } }: Entrance,
): Promise<Listener> {
  const options = {
    headersTimeout: settings.read_header_timeout,
    requestTimeout: settings.read_timeout,
    keepAliveTimeout: settings.idle_timeout,
    connectionsCheckingInterval: TICK_MS,
    // Node would answer by itself, without a Status.
    requireHostHeader: false,
  }
  const server = certificates
    ? createSecureServer({ ...options, ...certificates.options })
    : createServer(options)
  certificates?.serve(server)
  connections.guard(server)
  const slow = new SlowBodies()
  const cors = new Cors(settings.cors)
  const broken = new BrokenRequests(server, counts, settings.response_headers)
  const bodyLimits = {
    limits,
    size: new SizeLimit(settings.max_request_body_size, 'max_request_body_size'),
    encodings: new Set(settings.compression_algorithms),
  }
  let closed: Promise<void> | undefined
  const prepare = (response: ServerResponse): void => {
    for (const [name, value] of Object.entries(settings.response_headers)) response.setHeader(name, value)
    // A kept-alive connection would otherwise outlive a server that is stopping.
    if (closed !== undefined || !settings.keep_alives_enabled) response.setHeader('connection', 'close')
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    prepare(response)
    if (cors.handle(request, response)) return
    const body = new Body(request, bodyLimits)
    broken.add(request.socket, { body, response })
    const type = mediaType(request)
    const incoming = new HttpRequest(request, { type, path: settings.logs_url_path, body, slow, door })
    const outcome = await intake.take(incoming, counts)
    if (closed !== undefined) prepare(response)
    // What comes slowly still comes.
    if (!outcome.ok && outcome.http === 408) response.setHeader('connection', 'close')
    send(response, outcome, type)
  }
  server.on('request', (request, response) => void answer(request, response))
  server.on('checkExpectation', (request, response) => {
    prepare(response)
    const outcome = refused('expectation', 'the only Expect that is understood is 100-continue')
    counts.count(outcome, 0)
    send(response, outcome, mediaType(request))
  })
  const listening = await listen(server, 'HTTP', settings.endpoint)
  slow.start()
  return {
    ...listening,
    stop(deadline) {
      closed ??= close(server).finally(() => slow.stop())
      return closedBy(deadline, closed, () => server.closeAllConnections())
    },
  }
}

function send(response: ServerResponse, outcome: Outcome, type: string): void {
  const { status, headers, body } = httpAnswer(outcome, type)
  response.writeHead(status, headers)
  response.end(body)
}

interface RequestParts {
  readonly type: string
  /** Of the URL that takes logs. */
  readonly path: string
  readonly body: Body
  readonly slow: SlowBodies
  readonly door: Door
}

/** A request in either encoding. */
class HttpRequest implements Incoming {
  readonly #request: IncomingMessage
  readonly #parts: RequestParts
  sender: Sender = NOBODY

  constructor(request: IncomingMessage, parts: RequestParts) {
    this.#request = request
    this.#parts = parts
  }

  get hold(): Hold {
    return this.#parts.body.hold
  }

  async read(): Promise<Buffer> {
    const { type, path, body, slow } = this.#parts
    const { method, url = '', headers, httpVersion } = this.#request
    if (headers.host === undefined && httpVersion === '1.1') {
      throw new Refusal('malformed', 'the request has no Host', undefined, { connection: 'close' })
    }
    if (url.split('?', 1)[0] !== path) {
      throw new Refusal('not_found', `there is nothing here; logs go to ${path}`)
    }
    if (method !== 'POST') throw new Refusal('method', `logs are sent with POST, not ${method}`)
    if (type !== PROTOBUF && type !== JSON_TYPE) {
      throw new Refusal('content_type', `the Content-Type is neither ${PROTOBUF} nor ${JSON_TYPE}`)
    }
    await this.#admit()
    const bytes = await slow.watch(body, body.read())
    if (this.#length === undefined) this.sender.allowance?.take({ bytes: body.receivedBytes })
    if (type !== JSON_TYPE) return bytes
    this.hold.take(bytes.length)
    return encodeJsonRequest(bytes)
  }

  giveBack(): void {
    this.#parts.body.giveBack()
  }

  /** Before the body is read. */
  async #admit(): Promise<void> {
    const { headers, socket } = this.#request
    const certificate = () => (socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined)
    this.sender = await this.#parts.door.admit({ headers, length: this.#length, certificate })
  }

  get #length(): number | undefined {
    const length = this.#request.headers['content-length']
    return length === undefined ? undefined : Number(length)
  }
}

/** The Content-Type without its parameters, such as charset. */
function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()
}

function close(server: Pick<Server, 'close'>): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
