import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { Body } from './body.ts'
import type { HttpSettings } from './config.ts'
import type { Connections } from './connections.ts'
import type { Counts } from './counts.ts'
import { SizeLimit } from './decompress.ts'
import type { Hold } from './in-flight.ts'
import type { Incoming, Intake } from './intake.ts'
import type { Limits } from './limits.ts'
import { addressText, closedBy, type Listener, listen } from './listen.ts'
import { type Outcome, Refusal } from './outcome.ts'
import { SlowBodies } from './slow-bodies.ts'
import { encodeStatus, encodeSuccess, statusJson, successJson } from './status.ts'
import { countUnparsed } from './unparsed.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
/** How exactly Node keeps the times of headers and requests; by itself it looks twice a minute. */
const TIMEOUT_TICK_MS = 1000

/** Serves OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Answers in the encoding of the request. */
export async function serveHttp(
  settings: HttpSettings,
  intake: Intake,
  counts: Counts,
  limits: Limits,
  guard: Connections,
): Promise<Listener> {
  const server = createServer({
    headersTimeout: settings.read_header_timeout,
    requestTimeout: settings.read_timeout,
    keepAliveTimeout: settings.idle_timeout,
    connectionsCheckingInterval: TIMEOUT_TICK_MS,
  })
  guard.guard(server)
  countUnparsed(server, counts)
  const slow = new SlowBodies()
  const limit = new SizeLimit(settings.max_request_body_size, 'max_request_body_size')
  let closed: Promise<void> | undefined
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const type = mediaType(request)
    const body = new Body(request, limit, limits)
    const incoming = new HttpRequest(request, type, settings.logs_url_path, body, slow)
    const outcome = await intake.take(incoming, counts)
    // A kept-alive connection would otherwise outlive a server that is stopping, and what comes slowly still comes.
    if (closed !== undefined || (!outcome.ok && outcome.http === 408))
      response.setHeader('connection', 'close')
    const said = type === PROTOBUF ? protobuf(outcome) : json(outcome)
    response.writeHead(outcome.ok ? 200 : outcome.http, {
      'content-type': type === PROTOBUF ? PROTOBUF : JSON_TYPE,
      'content-length': Buffer.byteLength(said),
      ...(outcome.ok ? {} : outcome.headers),
    })
    response.end(said)
  }
  server.on('request', (request, response) => void answer(request, response))
  const address = await listen(server, 'HTTP', settings.endpoint)
  slow.start()
  return {
    address: addressText(address),
    port: address.port,
    stop(deadline) {
      closed ??= close(server).finally(() => slow.stop())
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
  readonly #slow: SlowBodies

  constructor(request: IncomingMessage, type: string, path: string, body: Body, slow: SlowBodies) {
    this.#request = request
    this.#type = type
    this.#path = path
    this.#body = body
    this.#slow = slow
  }

  get hold(): Hold {
    return this.#body.hold
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
    const body = await this.#slow.watch(this.#body, this.#body.read())
    if (this.#type !== JSON_TYPE) return body
    this.hold.take(body.length)
    return encodeJsonRequest(body)
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

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
