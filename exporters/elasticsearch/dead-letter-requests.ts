import type { Client } from './client/client.ts'
import { type JsonAnswer, type JsonRequest, sendJson } from './client/json.ts'

const TIMEOUT_MS = 60_000

/** Requests for dead letters. */
export class Requests {
  readonly #client: Client
  readonly #signal: AbortSignal | undefined

  constructor(client: Client, signal?: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** Throws where no node answers. */
  send(
    method: JsonRequest['method'],
    path: string,
    options: Pick<JsonRequest, 'query' | 'body'> = {},
  ): Promise<JsonAnswer> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const limit = this.#signal === undefined ? timeout : AbortSignal.any([this.#signal, timeout])
    return sendJson(this.#client, { method, path, ...options }, limit)
  }

  /** The body of a good answer. Throws where it is none, with what the server says is wrong. */
  async ask(
    method: JsonRequest['method'],
    path: string,
    options: Pick<JsonRequest, 'query' | 'body'> = {},
  ): Promise<unknown> {
    const { status, json } = await this.send(method, path, options)
    if (status >= 200 && status < 300) return json
    throw new Error(`Elasticsearch answered ${status} to ${method} ${path}: ${errorOf(json)}`)
  }
}

function errorOf({ error }: JsonAnswer['json']): string {
  if (typeof error === 'string') return error
  const { type, reason } = (error ?? {}) as { type?: string; reason?: string }
  return type === undefined ? 'no reason given' : `${type}, ${reason ?? 'no reason given'}`
}
