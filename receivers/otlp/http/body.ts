import type { IncomingMessage } from 'node:http'
import { Assembly } from '../assembly.ts'
import { DECOMPRESSORS, type SizeLimit } from '../decompression/decompress.ts'
import type { Hold } from '../limits/in-flight.ts'
import type { Limits } from '../limits/limits.ts'
import { Refusal } from '../outcome.ts'

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
  readonly limits: Limits
}

/** The body of an HTTP request. */
export class Body {
  /** The memory that the request takes. */
  readonly hold: Hold
  readonly #request: IncomingMessage
  readonly #limit: SizeLimit
  readonly #encodings: ReadonlySet<string>
  readonly #limits: Limits
  readonly #started = performance.now()
  #receivedBytes = 0
  /** Ends the reading, once it has begun. */
  #giveUp: ((reason: unknown) => void) | undefined
  /** What has happened to it before that. */
  #failure: Refusal | undefined
  /** Where the body lies, if its length was announced. */
  #assembly: Assembly | undefined

  constructor(request: IncomingMessage, { size, encodings, limits }: BodyLimits) {
    this.hold = limits.inFlight.hold()
    this.#request = request
    this.#limit = size
    this.#encodings = encodings
    this.#limits = limits
  }

  /**
   * Reads the body and undoes its Content-Encoding. Neither form ever takes more than the limit.
   * @throws Refusal when it is too large, of an unknown encoding, or its client goes away
   * @throws RetryableError when there is no memory for it now
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
    const room = { limit: this.#limit, maxRatio: this.#limits.maxCompressionRatio, hold: this.hold }
    return decompress ? await decompress(body, room) : body
  }

  /** How much has come, before anything was decompressed. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Gives up a body that comes too slowly. */
  checkTime(now: number): void {
    const slow = this.#limits.bodyRate.judge(this.#receivedBytes, now - this.#started)
    if (slow !== undefined) this.#giveUp?.(slow)
  }

  /** Refuses what has not come in full; false where nothing is missing. */
  fail(refusal: Refusal): boolean {
    if (this.#request.complete) return false
    this.#failure = refusal
    this.#giveUp?.(refusal)
    return true
  }

  /** Gives back the memory that the body lies in. Nobody may read it any more. */
  giveBack(): void {
    this.#assembly?.giveBack()
  }

  async #assemble(length: number): Promise<Buffer> {
    const assembly = new Assembly(length, this.hold)
    this.#assembly = assembly
    await this.#receive((chunk) => assembly.add(chunk))
    return assembly.bytes
  }

  /** The parser of HTTP/1.1 sees to it that an announced length is kept; without one the limit is all there is. */
  async #collect(): Promise<Buffer> {
    const chunks: Buffer[] = []
    await this.#receive((chunk) => {
      if (this.#receivedBytes > this.#limit.bytes) throw this.#limit.exceeded()
      this.hold.take(chunk.length)
      chunks.push(chunk)
    })
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
  }

  /** Resolves when all has come. What comes after `add` threw is thrown away: closing the connection now could lose the client the answer. */
  #receive(add: (chunk: Buffer) => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      let wanted = true
      const giveUp = (reason: unknown): void => {
        wanted = false
        reject(reason)
      }
      this.#giveUp = giveUp
      this.#request.on('data', (chunk: Buffer) => {
        if (!wanted) return
        this.#receivedBytes += chunk.length
        try {
          add(chunk)
        } catch (error) {
          giveUp(error)
        }
      })
      this.#request.once('end', resolve)
      const gone = (): void => giveUp(new Refusal('disconnected', 'the client went away'))
      this.#request.once('error', gone)
      this.#request.once('close', gone)
    })
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
