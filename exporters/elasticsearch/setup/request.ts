import { SetupError } from '../../../src/setup.ts'
import { authorization, type ElasticsearchConfig, nodesOf } from '../config.ts'

export type Json = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  /** Empty where the answer is no JSON object. */
  readonly json: Json
}

const TIMEOUT_MS = 30_000

/** Asks the nodes of an exporter what need not be fast: one after the other, until one answers. */
export class Requests {
  readonly #config: ElasticsearchConfig
  readonly #signal: AbortSignal
  /** Hosts without credentials, for messages. */
  readonly nodes: string

  constructor(config: ElasticsearchConfig, signal: AbortSignal) {
    this.#config = config
    this.#signal = signal
    this.nodes = nodesOf(config)
      .map((node) => new URL(node).host)
      .join(', ')
  }

  /** Whatever the status is. Throws a transient `SetupError` when no node answers, or none can now. */
  async send(method: string, path: string, body?: object): Promise<Answer> {
    let problem: unknown
    for (const endpoint of nodesOf(this.#config)) {
      const node = new URL(endpoint)
      try {
        const answer = await this.#ask(node, method, path, body)
        if (answer.status !== 429 && answer.status < 502) return answer
        problem = new Error(`it answered ${answer.status}`)
      } catch (error) {
        this.#signal.throwIfAborted()
        problem = error
      }
    }
    throw new SetupError(`${this.nodes} did not answer: ${messageOf(problem)}`, {
      cause: problem,
      isTransient: true,
    })
  }

  async #ask(node: URL, method: string, path: string, body?: object): Promise<Answer> {
    const auth = authorization(this.#config, node)
    const response = await fetch(`${node.origin}${node.pathname.replace(/\/$/, '')}${path}`, {
      method,
      headers: {
        ...this.#config.headers,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...(auth && { authorization: auth }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    return { status: response.status, json: parse(await response.text()) }
  }
}

/** Why the server refused, with the rights that are missing where it says so. */
export function refusal(method: string, path: string, { status, json }: Answer): SetupError {
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
  return String(inner.reason ?? '')
}

function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {}
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}
