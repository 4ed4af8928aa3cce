import { gzipSync } from 'node:zlib'
import { Pool } from 'undici'
import { RetryableError } from '../../src/component.ts'
import { memory } from '../../src/memory.ts'
import { FILTER_PATH } from './answer.ts'
import { BulkBodies } from './bulk-bodies.ts'
import { authorization, type ElasticsearchConfig, nodesOf } from './config.ts'

export interface BulkResponse {
  readonly status: number
  readonly body: Buffer
  /** Milliseconds the server asked to be left alone. */
  readonly retryAfter: number | undefined
  /** The node, without credentials. */
  readonly node: string
}

interface Node {
  readonly name: string
  readonly pool: Pool
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

const CONNECTIONS = 8
/** An answer is larger than its request only where that was small: the reasons of errors quote it. */
const MAX_ANSWER_GROWTH = 4
const MIN_ANSWER_LIMIT = 1024 * 1024

/**
 * Sends `_bulk` requests with the bytes as they are, which costs a fraction of the official client's way
 * (docs/decisions/0003). Nodes take turns; one that cannot be reached is passed over by the next attempt.
 */
export class BulkClient {
  readonly #nodes: readonly Node[]
  readonly #gzip: boolean
  readonly #bodies = new BulkBodies()
  #next = 0

  constructor(config: ElasticsearchConfig) {
    const query = new URLSearchParams({ filter_path: FILTER_PATH })
    if (config.pipeline !== undefined) query.set('pipeline', config.pipeline)
    this.#gzip = config.compression === 'gzip'
    this.#nodes = nodesOf(config).map((endpoint) => {
      const url = new URL(endpoint)
      const auth = authorization(config, url)
      return {
        name: url.host,
        pool: new Pool(url.origin, { connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 }),
        path: `${url.pathname.replace(/\/$/, '')}/_bulk?${query.toString()}`,
        headers: {
          ...config.headers,
          'content-type': 'application/x-ndjson',
          accept: 'application/json',
          ...(auth && { authorization: auth }),
          ...(this.#gzip && { 'content-encoding': 'gzip' }),
        },
      }
    })
  }

  /** Takes `bulk` over, to give it back to `memory`. Throws `RetryableError` when no answer came. */
  async send(bulk: Buffer, signal: AbortSignal): Promise<BulkResponse> {
    const node = this.#nodes[this.#next++ % this.#nodes.length]
    const limit = Math.max(MIN_ANSWER_LIMIT, MAX_ANSWER_GROWTH * bulk.length)
    const body = this.#gzip ? gzipSync(bulk, { level: 1 }) : bulk
    if (this.#gzip) memory.give(bulk)
    try {
      const response = await node.pool.request({
        method: 'POST',
        path: node.path,
        headers: node.headers,
        body,
        signal,
      })
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of response.body) {
        chunks.push(chunk)
        size += chunk.length
        if (size > limit) throw new Error(`the answer is larger than ${limit} bytes`)
      }
      // A request that broke off may still be read from: what it sent is left to the garbage collector.
      if (!this.#gzip && this.#bodies.isWritten(body)) memory.give(body)
      return {
        status: response.statusCode,
        body: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks),
        retryAfter: retryAfterMs(response.headers['retry-after']),
        node: node.name,
      }
    } catch (cause) {
      signal.throwIfAborted()
      const problem = cause instanceof Error ? cause.message : String(cause)
      throw new RetryableError(`${node.name} did not answer: ${problem}`, { cause, reason: 'unreachable' })
    }
  }

  async close(): Promise<void> {
    this.#bodies.close()
    await Promise.all(this.#nodes.map(({ pool }) => pool.destroy()))
  }
}

/** `Retry-After` is seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const value = Array.isArray(header) ? header[0] : header
  if (value === undefined) return undefined
  const seconds = Number(value)
  const milliseconds = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds)
}
