import type { IncomingMessage } from 'node:http'
import { Assembly } from './assembly.ts'
import { DECOMPRESSORS, type SizeLimit } from './decompress.ts'
import { Refusal } from './outcome.ts'

/** Other names for Content-Encodings. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['identity', ''],
  ['x-gzip', 'gzip'],
])

/** What is taken of a body. */
export interface BodyLimits {
  readonly size: SizeLimit
  /** Content-Encodings that are undone; the empty one stands for none. */
  readonly encodings: ReadonlySet<string>
}

/** The body of an HTTP request. */
export class Body {
  readonly #request: IncomingMessage
  readonly #limit: SizeLimit
  readonly #encodings: ReadonlySet<string>
  /** Ends the reading, once it has begun. */
  #fail: ((refusal: Refusal) => void) | undefined
  /** Where the body lies, if its length was announced. */
  #assembly: Assembly | undefined

  constructor(request: IncomingMessage, { size, encodings }: BodyLimits) {
    this.#request = request
    this.#limit = size
    this.#encodings = encodings
  }

  /**
   * Reads the body and undoes its Content-Encoding. Neither form ever takes more than the limit.
   * @throws Refusal when it is too large, of an unknown encoding, or its client goes away
   * @throws MalformedError when it cannot be decompressed
   */
  async read(): Promise<Buffer> {
    const name = this.#request.headers['content-encoding']?.trim().toLowerCase() ?? ''
    const encoding = ALIASES.get(name) ?? name
    if (!this.#encodings.has(encoding)) throw unsupported(this.#encodings)
    const decompress = DECOMPRESSORS.get(encoding === 'zlib' ? 'deflate' : encoding)
    const length = this.#request.headers['content-length']
    if (Number(length ?? 0) > this.#limit.bytes) throw this.#limit.exceeded()
    const body = await (length === undefined ? this.#collect() : this.#assemble(Number(length)))
    return decompress ? await decompress(body, this.#limit) : body
  }

  /** Gives back the memory that the body lies in. Nobody may read it any more. */
  giveBack(): void {
    this.#assembly?.giveBack()
  }

  /** Refuses what has not come in full; false where nothing is missing. */
  fail(refusal: Refusal): boolean {
    if (this.#request.complete) return false
    this.#fail?.(refusal)
    return this.#fail !== undefined
  }

  #assemble(length: number): Promise<Buffer> {
    const assembly = new Assembly(length)
    this.#assembly = assembly
    return new Promise((resolve, reject) => {
      this.#request.on('data', (chunk: Buffer) => assembly.add(chunk))
      this.#request.once('end', () => resolve(assembly.bytes))
      this.#onGone(reject)
    })
  }

  /** The parser of HTTP/1.1 sees to it that an announced length is kept; without one the limit is all there is. */
  #collect(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let chunks: Buffer[] = []
      let size = 0
      this.#request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= this.#limit.bytes) {
          chunks.push(chunk)
        } else {
          // What still comes is thrown away: closing the connection now could lose the client the answer.
          chunks = []
          reject(this.#limit.exceeded())
        }
      })
      this.#request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
      this.#onGone(reject)
    })
  }

  #onGone(reject: (refusal: Refusal) => void): void {
    const gone = (): void => reject(new Refusal('disconnected', 'the client went away'))
    this.#request.once('error', gone)
    this.#request.once('close', gone)
    this.#fail = reject
  }
}

function unsupported(encodings: ReadonlySet<string>): Refusal {
  const names = [...encodings].filter((name) => name !== '')
  if (encodings.has('')) names.push('identity')
  const known = [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' and ')
  return new Refusal('content_encoding', `the Content-Encoding is none of ${known}`, undefined, {
    'accept-encoding': names.join(', '),
  })
}
