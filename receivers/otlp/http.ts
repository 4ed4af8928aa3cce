import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { readBody } from './body.ts'
import type { HttpSettings } from './config.ts'
import type { Counts } from './counts.ts'
import type { Intake } from './intake.ts'
import { addressText, closedBy, type Listener, listen } from './listen.ts'
import { type Outcome, Refusal } from './outcome.ts'
import { encodeStatus, encodeSuccess, statusJson, successJson } from './status.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** Serves OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Answers in the encoding of the request. */
export async function serveHttp(settings: HttpSettings, intake: Intake, counts: Counts): Promise<Listener> {
  const server = createServer({
    headersTimeout: settings.read_header_timeout,
    requestTimeout: settings.read_timeout,
    keepAliveTimeout: settings.idle_timeout,
  })
  let closed: Promise<void> | undefined
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const type = mediaType(request)
    const outcome = await intake.take(() => readRequest(request, type, settings), counts)
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

/** The protobuf bytes that a request holds, in either encoding. */
async function readRequest(request: IncomingMessage, type: string, settings: HttpSettings): Promise<Buffer> {
  const path = (request.url ?? '').split('?', 1)[0]
  if (path !== settings.logs_url_path) {
    throw new Refusal('not_found', `there is nothing here; logs go to ${settings.logs_url_path}`)
  }
  if (request.method !== 'POST') throw new Refusal('method', `logs are sent with POST, not ${request.method}`)
  if (type !== PROTOBUF && type !== JSON_TYPE) {
    throw new Refusal('content_type', `the Content-Type is neither ${PROTOBUF} nor ${JSON_TYPE}`)
  }
  const body = await readBody(request, settings.max_request_body_size)
  return type === JSON_TYPE ? encodeJsonRequest(body) : body
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
