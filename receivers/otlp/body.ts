import type { IncomingMessage } from 'node:http'
import { Assembly } from './assembly.ts'
import { DECOMPRESSORS, type SizeLimit } from './decompress.ts'
import { Refusal } from './outcome.ts'

/** The body of an HTTP request. */
export class Body {
  readonly #request: IncomingMessage
  readonly #limit: SizeLimit
  /** Bytes that have come, before anything was decompressed; once it has been read. */
  size = 0
  /** Where the body lies, if its length was announced. */
  #assembly: Assembly | undefined

  constructor(request: IncomingMessage, limit: SizeLimit) {
    this.#request = request
    this.#limit = limit
  }

  /**
   * Reads the body and undoes its Content-Encoding. Neither form ever takes more than the limit.
   * @throws Refusal when it is too large, of an unknown encoding, or its client goes away
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
    this.size = body.length
    return decompress ? await decompress(body, this.#limit) : body
  }

  /** Gives back the memory that the body lies in. Nobody may read it any more. */
  giveBack(): void {
    this.#assembly?.giveBack()
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
  }
}
