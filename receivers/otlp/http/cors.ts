import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CorsSettings } from './config.ts'

/** What pages may always send: enough for OTLP. */
const ALLOWED_HEADERS = ['accept', 'content-type', 'content-encoding', 'x-requested-with']
const VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

/** Says to browsers which pages may send logs: https://fetch.spec.whatwg.org/#cors-protocol, with the Collector's settings. */
export class Cors {
  readonly #settings: CorsSettings
  readonly #origins: readonly (readonly [start: string, end?: string])[]
  readonly #headers: ReadonlySet<string>

  constructor(settings: CorsSettings) {
    this.#settings = settings
    this.#origins = settings.allowed_origins.map((origin) => {
      const [start, end] = origin.toLowerCase().split('*')
      return end === undefined ? [start] : [start, end]
    })
    this.#headers = new Set([
      ...ALLOWED_HEADERS,
      ...settings.allowed_headers.map((header) => header.toLowerCase()),
    ])
  }

  /** Adds to an answer what its page may see of it. Answers a preflight, and says that it did. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#origins.length === 0) return false
    const { method, headers } = request
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      this.#answerPreflight(headers, response)
      return true
    }
    response.setHeader('vary', 'Origin')
    if (!this.#isAllowed(headers.origin)) return false
    this.#allowOrigin(headers.origin, response)
    const exposed = this.#settings.exposed_headers.join(', ')
    if (exposed !== '') response.setHeader('access-control-expose-headers', exposed)
    return false
  }

  /** What is not allowed is not refused but left unsaid: the browser does the rest. */
  #answerPreflight(headers: IncomingMessage['headers'], response: ServerResponse): void {
    response.setHeader('vary', VARY)
    const wanted = headers['access-control-request-headers'] ?? ''
    if (
      this.#isAllowed(headers.origin) &&
      headers['access-control-request-method'] === 'POST' &&
      this.#allowsHeaders(wanted)
    ) {
      this.#allowOrigin(headers.origin, response)
      response.setHeader('access-control-allow-methods', 'POST')
      if (wanted !== '') response.setHeader('access-control-allow-headers', wanted)
      if (this.#settings.max_age > 0) response.setHeader('access-control-max-age', this.#settings.max_age)
    }
    response.writeHead(204).end()
  }

  #isAllowed(origin: string | undefined): origin is string {
    if (origin === undefined) return false
    const name = origin.toLowerCase()
    return this.#origins.some(([start, end]) =>
      end === undefined
        ? name === start
        : name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end),
    )
  }

  #allowOrigin(origin: string, response: ServerResponse): void {
    if (this.#settings.allowed_origins.includes('*')) {
      response.setHeader('access-control-allow-origin', '*')
    } else {
      response.setHeader('access-control-allow-origin', origin)
      response.setHeader('access-control-allow-credentials', 'true')
    }
  }

  #allowsHeaders(wanted: string): boolean {
    if (this.#settings.allowed_headers.includes('*')) return true
    return wanted.split(',').every((name) => {
      const trimmed = name.trim().toLowerCase()
      return trimmed === '' || this.#headers.has(trimmed)
    })
  }
}
