import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import type { z } from 'zod'
import type { HttpSettings } from './config.ts'

/** Why a receiver did not take a message. */
export class PostError extends Error {
  override readonly name = 'PostError'
  /** Whether it may take it later. */
  readonly isRetryable: boolean

  constructor(message: string, isRetryable: boolean, options?: ErrorOptions) {
    super(message, options)
    this.isRetryable = isRetryable
  }
}

const LATER = new Set([408, 425, 429])
/** Of an answer that refuses, as much as is shown. */
const SHOWN = 200

/** Posts to receivers of alerts. No URL and no body is ever part of an error: both may hold secrets. */
export class Poster {
  readonly #agent: Agent
  readonly #settings: z.output<typeof HttpSettings>

  /** Throws when a certificate or key cannot be read. */
  constructor(settings: z.output<typeof HttpSettings>) {
    this.#settings = settings
    const { ca_file, cert_file, key_file, insecure_skip_verify } = settings.tls
    this.#agent = new Agent({
      connections: 1,
      connect: {
        ...(ca_file === undefined ? {} : { ca: read('ca_file', ca_file) }),
        ...(cert_file === undefined ? {} : { cert: read('cert_file', cert_file) }),
        ...(key_file === undefined ? {} : { key: read('key_file', key_file) }),
        rejectUnauthorized: !insecure_skip_verify,
        timeout: settings.timeout,
      },
    })
  }

  /** Resolves when the answer is a success; throws a `PostError` otherwise. */
  async post(url: string, contentType: string, body: string, signal: AbortSignal): Promise<void> {
    const target = new URL(url)
    const { headers, timeout } = this.#settings
    const authorization = this.#authorization(target)
    target.username = ''
    target.password = ''
    const late = AbortSignal.timeout(timeout)
    let answer: { readonly status: number; readonly text: string }
    try {
      const response = await request(target, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { 'content-type': contentType, ...(authorization && { authorization }), ...headers },
        body,
        signal: AbortSignal.any([signal, late]),
      })
      answer = { status: response.statusCode, text: await beginning(response.body) }
    } catch (cause) {
      signal.throwIfAborted()
      const problem = late.aborted ? `no answer within ${timeout} ms` : messageOf(cause)
      throw new PostError(`${target.host}: ${problem}`, true, { cause })
    }
    const { status, text } = answer
    if (status >= 200 && status < 300) return
    const isRetryable = status >= 500 || LATER.has(status)
    throw new PostError(`${target.host} answered ${status} ${text}`.trim(), isRetryable)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #authorization({ username, password }: URL): string | undefined {
    const { basic_auth, bearer_token } = this.#settings
    if (bearer_token !== undefined) return `Bearer ${bearer_token}`
    const user = basic_auth?.username ?? decodeURIComponent(username)
    if (user === '') return undefined
    const word = basic_auth?.password ?? decodeURIComponent(password)
    return `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`
  }
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Error(`${setting} ${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of body) {
    text += Buffer.from(chunk).toString('utf8')
    if (text.length >= SHOWN) break
  }
  return text.slice(0, SHOWN).replaceAll(/\s+/g, ' ')
}

/** What Node says of a connection to several addresses is in the errors inside. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
