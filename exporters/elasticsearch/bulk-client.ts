import { gzipSync } from 'node:zlib'
import { retryAfterMs } from '../../src/delivery/retry-after.ts'
import { memory } from '../../src/memory.ts'
import { FILTER_PATH } from './answer.ts'
import { BulkBodies } from './bulk-bodies.ts'
import type { Client } from './client/client.ts'
import type { ElasticsearchConfig } from './config.ts'

export interface BulkResponse {
  readonly status: number
  readonly body: Buffer
  /** Milliseconds the server asked to be left alone. */
  readonly retryAfter: number | undefined
  /** The node, without credentials. */
  readonly node: string
}

/** An answer is larger than its request only where that was small: the reasons of errors quote it. */
const MAX_ANSWER_GROWTH = 4
const MIN_ANSWER_LIMIT = 1024 * 1024

/**
 * Sends `_bulk` requests with the bytes as they are, which costs a fraction of the official client's way
 * (docs/decisions/0003).
 */
export class BulkClient {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #gzipLevel: number | undefined
  readonly #bodies = new BulkBodies()
  readonly #plainPath: string
  readonly #pathWithoutSource: string
  #path: string

  constructor(client: Client, { compression, compression_params, pipeline }: ElasticsearchConfig) {
    this.#client = client
    this.#gzipLevel = compression === 'gzip' ? compression_params.level : undefined
    this.#headers = {
      'content-type': 'application/x-ndjson',
      accept: 'application/json',
      ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
    }
    const query = new URLSearchParams(client.seeds[0].searchParams)
    query.set('filter_path', FILTER_PATH)
    if (pipeline !== undefined) query.set('pipeline', pipeline)
    this.#plainPath = `/_bulk?${query.toString()}`
    this.#path = this.#plainPath
    query.set('include_source_on_error', 'false')
    this.#pathWithoutSource = `/_bulk?${query.toString()}`
  }

  /** Has the server leave the text of documents out of what it says against them, where it knows how to. */
  omitSource(): void {
    this.#path = this.#pathWithoutSource
  }

  /** Asks for that no more. */
  keepSource(): void {
    this.#path = this.#plainPath
  }

  /** Takes `bulk` over, to give it back to `memory`. Throws `RetryableError` when no answer came. */
  async send(bulk: Buffer, signal: AbortSignal): Promise<BulkResponse> {
    const level = this.#gzipLevel
    const maxAnswer = Math.max(MIN_ANSWER_LIMIT, MAX_ANSWER_GROWTH * bulk.length)
    const body = level === undefined ? bulk : gzipSync(bulk, { level })
    if (level !== undefined) memory.give(bulk)
    const request = { method: 'POST', path: this.#path, headers: this.#headers, body, maxAnswer } as const
    try {
      const { status, headers, node, body: answer } = await this.#client.send(request, signal)
      return { status, body: answer, retryAfter: retryAfterMs(headers['retry-after']), node }
    } finally {
      if (level === undefined) void this.#bodies.release(body)
    }
  }

  async close(): Promise<void> {
    this.#bodies.close()
    await this.#client.close()
  }
}
