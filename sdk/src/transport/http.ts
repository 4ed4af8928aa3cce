import * as http from 'node:http'
import * as https from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Diagnostics } from '../pipe/options.ts'
import { type Answer, oneLine, type Transport } from './answer.ts'
import type { Destination, Headers } from './destination.ts'
import { headersOf } from './headers.ts'
import { readExportResponse, readJsonResponse } from './response.ts'
import { readRetryAfter } from './retry-after.ts'
import { readJsonStatus, readStatus } from './status.ts'
import { RENEWAL_MILLIS, readPem } from './tls.ts'
import { USER_AGENT } from './user-agent.ts'

/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** Longer answers are not read; a server has no reason to send them. */
const MOST_ANSWER = 64 * 1024
const IDLE_CONNECTIONS = 2

const compress = promisify(gzip)

/** OTLP/HTTP with protobuf, over connections that are kept. */
export class HttpTransport implements Transport {
  readonly #destination: Destination
  readonly #diagnostics: Diagnostics
  readonly #requests = new Set<http.ClientRequest>()
  #agent: http.Agent | undefined
  #createdAt = 0
  #closed = false

  constructor(destination: Destination, diagnostics: Diagnostics) {
    this.#destination = destination
    this.#diagnostics = diagnostics
  }

  async send(request: Buffer): Promise<Answer> {
    try {
      const headers = await headersOf(this.#destination)
      const gzipped = this.#destination.compression === 'gzip'
      const body = gzipped ? await compress(request) : request
      if (this.#closed) throw new Error('the pipe is closed')
      this.#agent ??= this.#connect()
      return await this.#post(this.#agent, body, {
        'user-agent': USER_AGENT,
        ...this.#valid(headers),
        'content-type': 'application/x-protobuf',
        'content-length': String(body.length),
        ...(gzipped && { 'content-encoding': 'gzip' }),
      })
    } catch (error) {
      this.#renew()
      return noAnswer(error)
    }
  }

  close(): void {
    this.#closed = true
    for (const request of this.#requests) request.destroy()
    this.#agent?.destroy()
    this.#agent = undefined
  }

  /** @throws Error where no answer came */
  #post(agent: http.Agent, body: Buffer, headers: Headers): Promise<Answer> {
    const { url, timeoutMillis } = this.#destination
    const { request } = url.startsWith('https:') ? https : http
    return new Promise((resolve, reject) => {
      const post = request(url, { method: 'POST', agent, headers: { ...headers } })
      const timer = setTimeout(() => post.destroy(new TimeoutError(timeoutMillis)), timeoutMillis)
      this.#requests.add(post)
      let answered = false
      post.once('close', () => {
        clearTimeout(timer)
        this.#requests.delete(post)
        if (!answered) reject(new Error('the connection was closed before an answer came'))
      })
      post.once('error', reject)
      post.once('response', (response) => {
        answered = true
        resolve(readAnswer(response))
      })
      post.end(body)
    })
  }

  #connect(): http.Agent {
    const options = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS }
    this.#createdAt = performance.now()
    if (!this.#destination.url.startsWith('https:')) return new http.Agent(options)
    const { certificate: ca, clientKey: key, clientCertificate: cert } = readPem(this.#destination.tls)
    return new https.Agent({ ...options, ...(ca && { ca }), ...(key && { key }), ...(cert && { cert }) })
  }

  /** Certificates may be new. */
  #renew(): void {
    if (performance.now() - this.#createdAt > RENEWAL_MILLIS) this.#agent = undefined
  }

  #valid(headers: Headers): Headers {
    const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
    return Object.fromEntries(
      entries.filter(([name, value]) => {
        try {
          http.validateHeaderName(name)
          http.validateHeaderValue(name, value)
          return true
        } catch {
          this.#diagnostics.warn(
            'header',
            `the header ${JSON.stringify(name)} is not valid in HTTP and is left out`,
          )
          return false
        }
      }),
    )
  }
}

class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(millis: number) {
    super(`no answer within ${millis} ms`)
  }
}

async function readAnswer(response: http.IncomingMessage): Promise<Answer> {
  const code = response.statusCode ?? 0
  // Whatever becomes of the body: what was answered so was taken or refused.
  const body = await readBody(response).catch(() => Buffer.alloc(0))
  const json = response.headers['content-type']?.startsWith('application/json') === true
  if (code >= 200 && code < 300) {
    return { kind: 'taken', ...(json ? readJsonResponse(body.toString()) : readExportResponse(body)) }
  }
  const { message, retryMillis } = json ? readJsonStatus(body.toString()) : readStatus(body)
  const reason = String(code)
  const text = oneLine(message === '' ? `HTTP ${code}` : `HTTP ${code}: ${message}`)
  if (!RETRYABLE.has(code)) return { kind: 'refused', reason, message: text }
  // RetryInfo is exact, Retry-After whole seconds.
  const waitMillis = retryMillis ?? readRetryAfter(response.headers['retry-after'])
  return { kind: 'retryable', reason, message: text, waitMillis }
}

/** What is longer than an answer may be is let go. */
async function readBody(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MOST_ANSWER) chunks.push(chunk)
  }
  return size <= MOST_ANSWER ? Buffer.concat(chunks) : Buffer.alloc(0)
}

function noAnswer(error: unknown): Answer {
  const { code = 'no_answer', message } = error as NodeJS.ErrnoException
  // Of several addresses that were tried, the error has a code and no message.
  return { kind: 'retryable', reason: code, message: oneLine(message || code), waitMillis: undefined }
}
