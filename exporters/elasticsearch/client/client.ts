import type { Logger } from 'pino'
import { RetryableError } from '../../../src/component.ts'
import type { ComponentMetrics } from '../../../src/telemetry/metrics.ts'
import { addressesOf } from './addresses.ts'
import { Credentials } from './credentials.ts'
import { type Answer, Node, type Request } from './node.ts'
import { Nodes } from './nodes.ts'
import type { ConnectionConfig } from './settings.ts'

/** An answer, and whose. */
export interface Answered extends Answer {
  /** The node, without credentials. */
  readonly node: string
}

export interface ClientOptions {
  readonly log: Logger
  /** A command counts nothing. */
  readonly metrics?: ComponentMetrics
  /** Milliseconds until a request is given to another node, where there is one; half a minute when absent. */
  readonly patience?: number
}

/** What proxies, and nodes that start or end, say. */
const NODE_IS_DOWN = new Set([502, 503, 504])
const PROBE_TIMEOUT_MS = 3_000
const USUAL_PATIENCE_MS = 30_000
const UNAUTHORIZED = 401

/**
 * Sends requests to a cluster: nodes take turns, and what fails at one goes to the next at once. Only when none that
 * may be tried takes it, it has failed.
 */
export class Client {
  readonly #config: ConnectionConfig
  readonly #options: ClientOptions
  readonly #credentials: Credentials
  readonly #seeds: readonly URL[]
  readonly #nodes: Nodes

  constructor(config: ConnectionConfig, options: ClientOptions) {
    this.#config = config
    this.#options = options
    this.#credentials = new Credentials(config)
    this.#seeds = addressesOf(config)
    this.#nodes = new Nodes(this.#seeds, (url) => this.#open(url))
  }

  /** The nodes of the config. */
  get seeds(): readonly URL[] {
    return this.#seeds
  }

  /** Throws `RetryableError` when no node answers, and when `signal` aborts. */
  async send(request: Request, signal: AbortSignal): Promise<Answered> {
    const tried = new Set<Node>()
    let answer: Answered | undefined
    let trouble: RetryableError | undefined
    for (let node = this.#nodes.pick(tried); node !== undefined; node = this.#nodes.pick(tried)) {
      tried.add(node)
      try {
        const { status, headers, body } = await this.#try(node, request, signal)
        answer = { status, headers, body, node: node.name }
        if (!NODE_IS_DOWN.has(status)) return answer
      } catch (error) {
        if (!(error instanceof RetryableError) || error.reason !== 'unreachable') throw error
        trouble = error
      }
    }
    if (answer !== undefined) return answer
    throw trouble ?? new RetryableError('there is no node to send to', { reason: 'unreachable' })
  }

  /** Goes over to these nodes, with the credentials of the config. */
  use(urls: readonly URL[]): void {
    const [{ username, password }] = this.#seeds
    for (const url of urls) Object.assign(url, { username, password })
    this.#nodes.replace(urls)
  }

  async close(): Promise<void> {
    await this.#nodes.close()
  }

  #open(url: URL): Node {
    return new Node(url, { tls: this.#config.tls, proxy_url: this.#config.proxy_url }, (node) =>
      this.#options.metrics?.gauge(
        'sluice_elasticsearch_node_up',
        'Whether the last request to a node was answered, 1 or 0.',
        { node },
        undefined,
        'min',
      ),
    )
  }

  async #try(node: Node, request: Request, signal: AbortSignal): Promise<Answer> {
    const startedAt = performance.now()
    const attempt = () => this.#authorized(node, request, signal)
    try {
      const answer = node.isUp
        ? await attempt()
        : await node.probe(async () => (await this.#ping(node, signal)) ?? attempt())
      if (NODE_IS_DOWN.has(answer.status)) this.#failed(node, startedAt, `it answered ${answer.status}`)
      else this.#succeeded(node)
      return answer
    } catch (cause) {
      // Not its fault: somebody else had enough, or a secret cannot be read.
      if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason
      if (cause instanceof RetryableError) throw cause
      const problem = problemOf(cause)
      this.#failed(node, startedAt, problem)
      signal.throwIfAborted()
      throw new RetryableError(`${node.name} did not answer: ${problem}`, { cause, reason: 'unreachable' })
    }
  }

  /** Asks a node that was down for a sign of life, before it is given anything. Returns the answer of one that is down. */
  async #ping(node: Node, signal: AbortSignal): Promise<Answer | undefined> {
    if (this.#nodes.size === 1) return undefined
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])
    const answer = await this.#authorized(node, { method: 'HEAD', path: '/' }, limit)
    return NODE_IS_DOWN.has(answer.status) ? answer : undefined
  }

  async #authorized(node: Node, request: Request, signal: AbortSignal): Promise<Answer> {
    const header = await this.#secret(() => this.#credentials.headerFor(node.url))
    const answer = await this.#request(node, request, header, signal)
    if (answer.status !== UNAUTHORIZED) return answer
    if (!(await this.#secret(() => this.#credentials.renew(node.url, header)))) return answer
    this.#options.log.info({ node: node.name }, 'the server refused the credentials; their file holds others')
    const renewed = await this.#secret(() => this.#credentials.headerFor(node.url))
    return this.#request(node, request, renewed, signal)
  }

  async #request(
    node: Node,
    request: Request,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const headers = { ...this.#config.headers, ...request.headers, ...(authorization && { authorization }) }
    // A node that hangs must not use up the time that another one needs.
    const limit =
      this.#nodes.size === 1
        ? signal
        : AbortSignal.any([signal, AbortSignal.timeout(this.#options.patience ?? USUAL_PATIENCE_MS)])
    return node.request({ ...request, headers }, limit)
  }

  async #secret<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (cause) {
      throw new RetryableError(problemOf(cause), { cause, reason: 'unauthorized' })
    }
  }

  #succeeded(node: Node): void {
    if (!node.isUp) this.#options.log.info({ node: node.name }, 'the node answers again')
    node.succeeded()
  }

  #failed(node: Node, startedAt: number, problem: string): void {
    const wasUp = node.failed(startedAt)
    if (wasUp && this.#nodes.size > 1) {
      this.#options.log.warn(
        { node: node.name, err: problem },
        'the node does not answer; others take its share',
      )
    }
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

/** What Node says of a connection to several addresses is in the errors inside. */
function problemOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(problemOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
