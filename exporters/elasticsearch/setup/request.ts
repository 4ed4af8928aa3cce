import type { Logger } from 'pino'
import { RetryableError } from '../../../src/component.ts'
import { SetupError } from '../../../src/setup.ts'
import { Client } from '../client/client.ts'
import { type JsonAnswer, sendJson } from '../client/json.ts'
import { nameOf, type Request } from '../client/node.ts'
import type { ElasticsearchConfig } from '../config.ts'

export type Json = JsonAnswer['json']

const TIMEOUT_MS = 30_000
const BUSY = 429

/** Asks the nodes of an exporter what need not be fast. */
export class Requests {
  readonly #client: Client
  readonly #signal: AbortSignal
  /** Hosts without credentials, for messages. */
  readonly nodes: string

  constructor(
    config: ElasticsearchConfig,
    { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
  ) {
    this.#client = new Client(config, { log })
    this.#signal = signal
    this.nodes = this.#client.seeds.map(nameOf).join(', ')
  }

  /** Whatever the status is. Throws a transient `SetupError` when no node answers, or none can now. */
  async send(method: Request['method'], path: string, body?: object): Promise<JsonAnswer> {
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)])
    const answer = await sendJson(this.#client, { method, path, ...(body && { body }) }, limit).catch(
      (cause: unknown) => {
        this.#signal.throwIfAborted()
        if (cause instanceof RetryableError) throw new SetupError(cause.message, { cause, isTransient: true })
        throw cause
      },
    )
    const { status } = answer
    if (status === BUSY || status > 501) {
      throw new SetupError(`${this.nodes} answered ${status}`, { isTransient: true })
    }
    return answer
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** Why the server refused, with the rights that are missing where it says so. */
export function refusal(method: string, path: string, { status, json }: JsonAnswer): SetupError {
  const error = json.error as
    | { readonly type?: string; readonly reason?: string; readonly caused_by?: unknown }
    | undefined
  const reason = typeof error === 'object' ? innermostReason(error) : String(error ?? '')
  const request = `${method} ${path}`
  if (status === 401)
    return new SetupError(`${request} was answered 401: the credentials are missing or wrong`)
  if (status === 403) {
    const granted = /granted by the (cluster|index) privileges \[([^\]]+)\]/.exec(reason)
    if (granted) {
      const privileges = granted[2].split(',').join(', ')
      return new SetupError(
        `${request} was refused: it needs one of the ${granted[1]} privileges ${privileges}`,
      )
    }
  }
  return new SetupError(`${request} was answered ${status}: ${reason || 'without a reason'}`, {
    isTransient: status >= 500,
  })
}

/** What is wrong stands at the end of a chain of causes, where Elasticsearch wraps it. */
export function innermostReason(error: Json): string {
  let inner: Json = error
  while (typeof inner.caused_by === 'object' && inner.caused_by !== null) inner = inner.caused_by as Json
  return textOf(inner.reason ?? '')
}

/** A value as somebody reads it. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
