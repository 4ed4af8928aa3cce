import type { IncomingHttpHeaders } from 'node:http2'
import type { Field } from './hpack/field.ts'

/** What requests and trailers may hold: RFC 9113, sections 8.2 and 8.3. */

/** Section 8.2.1: as tokens are, but without capital letters. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** What can be seen, spaces, tabs and what is not ASCII. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const SPACE = '\t '
const DIGITS = /^\d{1,15}$/
const PSEUDO = new Set([':method', ':scheme', ':path', ':authority'])
/** Section 8.2.2: what belongs to a connection of HTTP/1.1. */
const OF_CONNECTIONS = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])
/** Of which the first counts; others are joined as the list that they may be. */
const SINGLE = new Set([
  'authorization',
  'content-type',
  'grpc-encoding',
  'grpc-timeout',
  'host',
  'proxy-authorization',
  'user-agent',
])

/** The fields of one header block, put together and checked as they come. */
export class RequestFields {
  readonly headers: IncomingHttpHeaders = Object.create(null) as IncomingHttpHeaders
  readonly #maxBytes: number
  #bytes = 0
  #pseudoOver = false
  #problem: string | undefined
  #isRequest = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether they are more than may be; those that came after are not kept. */
  get tooLarge(): boolean {
    return this.#bytes > this.#maxBytes
  }

  /** Bytes of content that the client has announced. */
  get contentLength(): number | undefined {
    const length = this.headers['content-length']
    return length === undefined ? undefined : Number(length)
  }

  add(field: Field): void {
    this.#bytes += field.size
    if (this.tooLarge || this.#problem !== undefined) return
    const { name, value } = field
    this.#problem = name.charCodeAt(0) === 0x3a ? this.#addPseudo(name, value) : this.#addField(name, value)
  }

  /** What is wrong with them as the beginning of a request; undefined where nothing is. */
  get problem(): string | undefined {
    // Fields that are remembered are asked again and again.
    if (this.#isRequest) return undefined
    const problem = this.#problemOfRequest
    this.#isRequest = problem === undefined
    return problem
  }

  get #problemOfRequest(): string | undefined {
    const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority } = this.headers
    if (this.#problem !== undefined) return this.#problem
    if (method === undefined) return 'there is no :method'
    if (method === 'CONNECT') {
      // Section 8.5.
      return scheme === undefined && path === undefined && authority !== undefined
        ? undefined
        : 'CONNECT has an :authority, and neither :scheme nor :path'
    }
    if (scheme === undefined) return 'there is no :scheme'
    if (typeof path !== 'string') return 'there is no :path'
    return path.startsWith('/') || (path === '*' && method === 'OPTIONS') ? undefined : 'the :path is none'
  }

  /** What is wrong with them as trailers. */
  get problemOfTrailers(): string | undefined {
    return this.#pseudoCame ? 'trailers have no pseudo-header fields' : this.#problem
  }

  get #pseudoCame(): boolean {
    for (const name of PSEUDO) if (this.headers[name] !== undefined) return true
    return false
  }

  #addPseudo(name: string, value: string): string | undefined {
    if (!PSEUDO.has(name)) return 'there is a pseudo-header field that requests do not have'
    if (this.#pseudoOver) return `${name} comes after other fields`
    if (this.headers[name] !== undefined) return `${name} comes twice`
    if ((value === '' && name !== ':authority') || !VALUE.test(value) || value !== stripped(value))
      return `${name} holds what it may not`
    this.headers[name] = value
    return undefined
  }

  #addField(name: string, given: string): string | undefined {
    this.#pseudoOver = true
    if (!NAME.test(name)) return 'the name of a field holds what it may not'
    if (!VALUE.test(given)) return `${name} holds what it may not`
    const value = stripped(given)
    if (OF_CONNECTIONS.has(name)) return `${name} is not for HTTP/2`
    if (name === 'te' && value.toLowerCase() !== 'trailers') return 'te is something else than trailers'
    const before = this.headers[name]
    if (name === 'content-length' && (!DIGITS.test(value) || (before !== undefined && before !== value)))
      return 'content-length is not one number'
    if (before === undefined) this.headers[name] = value
    else if (name === 'cookie') this.headers[name] = `${String(before)}; ${value}`
    else if (name !== 'content-length' && !SINGLE.has(name))
      this.headers[name] = `${String(before)}, ${value}`
    return undefined
  }
}

/** gRPC lets space at the ends be stripped (PROTOCOL-HTTP2.md, Custom-Metadata): an empty token is sent as "Bearer ". */
function stripped(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && SPACE.includes(value[start])) start++
  while (end > start && SPACE.includes(value[end - 1])) end--
  return value.slice(start, end)
}
