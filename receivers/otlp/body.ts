import type { IncomingMessage } from 'node:http'
import { Assembly } from './assembly.ts'
import { DECOMPRESSORS, type SizeLimit } from './decompress.ts'
import type { Hold } from './in-flight.ts'
import type { Limits } from './limits.ts'
import { Refusal } from './outcome.ts'

/** The body of an HTTP request. */
export class Body {
  readonly hold: Hold
  readonly #limits: Limits
  readonly #started = performance.now()
  #receivedBytes = 0
  #giveUp: (reason: unknown) => void = () => {}
  readonly #request: IncomingMessage
  readonly #limit: SizeLimit
  /** Where the body lies, if its length was announced. */
  #assembly: Assembly | undefined

  constructor(request: IncomingMessage, limit: SizeLimit, limits: Limits) {
    this.hold = limits.inFlight.hold()
    this.#limits = limits
    this.#request = request
    this.#limit = limit
  }

  /**
   * Reads the body and undoes its Content-Encoding. Neither form ever takes more than the limit.
   * @throws Refusal when it is too large, of an unknown encoding, or its client goes away
   * @throws RetryableError when there is no memory for it now
   * @throws MalformedError when it cannot be decompressed
   */
  async read(): Promise<Buffer> {
    const name = this.#request.headers['content-encoding']?.trim().toLowerCase() ?? ''
    const plain = name === '' || name === 'identity'
    const decompress = DECOMPRESSORS.get(name === 'x-gzip' ? 'gzip' : name)
    if (!plain && decompress === undefined) {
      throw new Refusal(
        'content_encoding',
        'the Content-Encoding is none of gzip, deflate, zstd and identity',
      )
    }
    const length = this.#request.headers['content-length']
    if (Number(length ?? 0) > this.#limit.bytes) throw this.#limit.exceeded()
    const body = await (length === undefined ? this.#collect() : this.#assemble(Number(length)))
    const room = { limit: this.#limit, maxRatio: this.#limits.maxCompressionRatio, hold: this.hold }
    return decompress ? await decompress(body, room) : body
  }

  /** Gives up a body that comes too slowly. */
  checkTime(now: number): void {
    const slow = this.#limits.bodyRate.judge(this.#receivedBytes, now - this.#started)
    if (slow !== undefined) this.#giveUp(slow)
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
    return new Promise((resolve, reject) => {
      let wanted = true
      this.#giveUp = (reason: unknown): void => {
        wanted = false
        reject(reason)
      }
      this.#request.on('data', (chunk: Buffer) => {
        if (!wanted) return
        this.#receivedBytes += chunk.length
        try {
          add(chunk)
        } catch (error) {
          this.#giveUp(error)
        }
      })
      this.#request.once('end', resolve)
      const gone = (): void => this.#giveUp(new Refusal('disconnected', 'the client went away'))
      this.#request.once('error', gone)
      this.#request.once('close', gone)
    })
  }
}
