import { once } from 'node:events'
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Arrival, Documents } from './documents.ts'
import { readBulk } from './sink.ts'

/** What a sink does with one `_bulk` request. */
export type Move = (exchange: Exchange) => Promise<void> | void

/** A `_bulk` request as the sink saw it. */
export interface Seen {
  /** When its head arrived: milliseconds of `performance.now()`. */
  readonly at: number
  /** The number of the drain that sent it. */
  readonly drain: number
  readonly bytes: number
}

/** An Elasticsearch that does with each request what it is told. */
export interface HostileSink extends AsyncDisposable {
  readonly url: string
  readonly documents: Documents
  readonly seen: readonly Seen[]
  /** How many requests of one drain were under way at once, at most. */
  readonly highestConcurrency: number
  /** `honest` to begin with. */
  move: Move
  /** The records that it never takes, by number; none to begin with. */
  refuses: (seq: number) => boolean
  /** Where documents go: into `documents` to begin with. */
  keepsIn: Documents
}

const HEADERS = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }

/** Stores what it takes, and says of each document what became of it. */
export const honest: Move = async (exchange) => {
  const arrivals = await exchange.arrivals()
  exchange.answer(arrivals.map((arrival) => exchange.store(arrival)))
}

/** A request that is not answered yet, and what can be done with it. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #sink: Pick<HostileSink, 'refuses' | 'keepsIn'>

  constructor(request: IncomingMessage, response: ServerResponse, sink: HostileSink) {
    this.request = request
    this.response = response
    this.#sink = sink
  }

  get socket(): Socket {
    return this.request.socket
  }

  /** The number of the drain that sent it. */
  get drain(): number {
    return Number(this.request.headers['x-drain'])
  }

  /** Bytes of the body, as its head says. */
  get bytes(): number {
    return Number(this.request.headers['content-length'])
  }

  /** Reads the whole body; throws when the client goes away. */
  async arrivals(): Promise<Arrival[]> {
    const chunks: Buffer[] = []
    for await (const chunk of this.request) chunks.push(chunk as Buffer)
    return readBulk(Buffer.concat(chunks).toString())
  }

  /** Stores a document, if it is one to be taken; returns its status. */
  store(arrival: Arrival): number {
    return this.#sink.refuses(arrival.seq) ? 400 : this.#sink.keepsIn.create(arrival)
  }

  /** Answers in full, as Elasticsearch does. */
  answer(statuses: readonly number[]): void {
    this.respond(200, answerOf(statuses))
  }

  respond(status: number, body: string, headers: OutgoingHttpHeaders = {}): void {
    this.response.writeHead(status, { ...HEADERS, ...headers }).end(body)
  }

  /** Cuts the connection with a reset. */
  cut(): void {
    this.socket.resetAndDestroy()
  }
}

export async function startHostileSink(): Promise<HostileSink> {
  const documents = new Documents()
  const seen: Seen[] = []
  const underWay = new Map<number, number>()
  let highestConcurrency = 0
  const server = createServer((request, response) => {
    // Who cuts connections on purpose sees errors on both sides.
    for (const stream of [request, response]) stream.on('error', () => {})
    if (!request.url?.startsWith('/_bulk')) {
      response.writeHead(200, HEADERS).end('{}')
      return
    }
    const exchange = new Exchange(request, response, sink)
    const { drain, bytes } = exchange
    seen.push({ at: performance.now(), drain, bytes })
    underWay.set(drain, (underWay.get(drain) ?? 0) + 1)
    highestConcurrency = Math.max(highestConcurrency, underWay.get(drain) ?? 0)
    response.on('close', () => underWay.set(drain, (underWay.get(drain) ?? 0) - 1))
    void (async () => {
      try {
        await sink.move(exchange)
      } catch (error) {
        if (!exchange.socket.destroyed) throw error
      }
    })()
  })
  server.on('connection', (socket) => socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sink: HostileSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    seen,
    get highestConcurrency() {
      return highestConcurrency
    },
    move: honest,
    refuses: () => false,
    keepsIn: documents,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return sink
}

/** The answer to a bulk, with the fields that the exporter asks for. */
export function answerOf(statuses: readonly number[]): string {
  const errors = statuses.some((status) => status >= 400)
  const items = statuses.map((status) => ({ create: { status, ...(status >= 400 && ERRORS[status]) } }))
  return JSON.stringify({ errors, items })
}

const error = (type: string, reason: string) => ({ error: { type, reason } })
const ERRORS: Readonly<Record<number, object>> = {
  400: error('document_parsing_exception', '[1:9] failed to parse field [attributes.seq] of type [ip]'),
  401: error('security_exception', 'unable to authenticate'),
  403: error('cluster_block_exception', 'index blocked by: [FORBIDDEN/8/index write (api)]'),
  409: error('version_conflict_engine_exception', '[1]: version conflict, document already exists'),
  429: error('es_rejected_execution_exception', 'rejected execution of coordinating operation'),
  503: error('unavailable_shards_exception', 'primary shard is not active Timeout: [1m]'),
}
