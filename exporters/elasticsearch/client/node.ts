import type { IncomingHttpHeaders } from 'node:http'
import type { BoundGauge } from '../../../src/telemetry/metrics.ts'
import { openWay, type Way, type WaySettings } from './way.ts'

/** One request; `path` begins with a slash and may have a query. */
export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Bytes of the answer; 16 MiB when absent. */
  readonly maxAnswer?: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const MAX_ANSWER = 16 * 1024 * 1024
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000

/** What a node is called in metrics and messages. */
export function nameOf({ host, pathname }: URL): string {
  return host + pathname.replace(/\/$/, '')
}

/** One node, and how it is: after each failure it is left alone for longer, until a success. */
export class Node {
  /** Host, port and path: no credentials. */
  readonly name: string
  readonly url: URL
  readonly #way: Way
  readonly #up: BoundGauge | undefined
  #failures = 0
  #downSince = 0
  #pausedUntil = 0
  #isProbed = false
  #isRetired = false

  constructor(url: URL, settings: WaySettings, gauge: (node: string) => BoundGauge | undefined) {
    this.name = nameOf(url)
    this.url = url
    this.#way = openWay(url, settings)
    this.#up = gauge(this.name)
    this.#show(1)
  }

  get isUp(): boolean {
    return this.#failures === 0
  }

  /** Whether it may be tried: it is up, or was left alone long enough and nobody else is trying. */
  get isAvailable(): boolean {
    return this.isUp || (!this.#isProbed && performance.now() >= this.#pausedUntil)
  }

  get pausedUntil(): number {
    return this.#pausedUntil
  }

  /** Runs `attempt` as the only one to try a node that was down. */
  async probe<T>(attempt: () => Promise<T>): Promise<T> {
    this.#isProbed = true
    try {
      return await attempt()
    } finally {
      this.#isProbed = false
    }
  }

  succeeded(): void {
    if (!this.isUp) this.#show(1)
    this.#failures = 0
  }

  /** Of requests under way at the same time, one counts. Returns whether it was up until now. */
  failed(startedAt: number): boolean {
    const wasUp = this.isUp
    if (!wasUp && startedAt < this.#downSince) return false
    const now = performance.now()
    const full = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10))
    this.#failures++
    this.#downSince = now
    this.#pausedUntil = now + full / 2 + (full / 2) * Math.random()
    this.#show(0)
    return wasUp
  }

  /** Throws when no whole answer comes. */
  async request(request: Request, signal: AbortSignal): Promise<Answer> {
    const { method, path, headers, body, maxAnswer = MAX_ANSWER } = request
    const response = await this.#way.pool.request({
      method,
      path: this.#way.prefix + path,
      headers: { ...headers, ...this.#way.headers },
      ...(body && { body }),
      signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response.body) {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxAnswer) throw new Error(`the answer is larger than ${maxAnswer} bytes`)
    }
    const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    return { status: response.statusCode, headers: response.headers, body: whole }
  }

  /** Lets requests under way end. */
  async retire(): Promise<void> {
    this.#isRetired = true
    this.#up?.remove()
    await this.#way.pool.close()
  }

  async close(): Promise<void> {
    await this.#way.pool.destroy()
  }

  #show(value: number): void {
    if (!this.#isRetired) this.#up?.set(value)
  }
}
