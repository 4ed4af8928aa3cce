import type { IncomingMessage } from 'node:http'
import {
  constants,
  gunzip,
  inflate,
  type Zlib,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompress,
} from 'node:zlib'
import { MalformedError } from '../../src/logs/wire.ts'
import { Refusal } from './outcome.ts'

/** RFC 9659 allows no larger window in HTTP. A frame may ask for 128 MiB, whatever the size of the body. */
const ZSTD_WINDOW_LOG = 23
/** Parallel compressors write one per piece; each costs a call, however little is in it. */
const ZSTD_FRAMES = 100
/** Output is made in pieces of this size: small requests stay cheap, and a large one takes few turns. */
const CHUNK = 128 * 1024

/**
 * Reads the body of a request and undoes its Content-Encoding. Neither form ever takes more than `limit` bytes.
 * @throws Refusal when it is too large, of an unknown encoding, or its client goes away
 * @throws MalformedError when it cannot be decompressed
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const decompress = DECODERS.get(encoding)
  if (decompress === undefined) {
    throw new Refusal('content_encoding', 'the Content-Encoding is none of gzip, deflate, zstd and identity')
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  return await decompress(await collect(request, limit), limit)
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) {
        chunks.push(chunk)
      } else {
        // What still comes is thrown away: closing the connection now could lose the client the answer.
        chunks = []
        reject(tooLarge(limit))
      }
    })
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
    const gone = (): void => reject(new Refusal('disconnected', 'the client went away'))
    request.once('error', gone)
    request.once('close', gone)
  })
}

type Decompress = (body: Buffer, limit: number) => Buffer | Promise<Buffer>

const identity: Decompress = (body) => body
const gzip: Decompress = async (body, limit) => (await run(gunzip, 'gzip', body, limit)).output
const zlib: Decompress = async (body, limit) => (await run(inflate, 'deflate', body, limit)).output

/** A body may be several frames, one after the other; the library decompresses one at a time. */
const zstd: Decompress = async (body, limit) => {
  const outputs: Buffer[] = []
  let size = 0
  let rest = body
  do {
    const { output, consumed } = await run(zstdDecompress, 'zstd', rest, limit, size)
    if (outputs.push(output) > ZSTD_FRAMES)
      throw new MalformedError(`the body has more than ${ZSTD_FRAMES} zstd frames`)
    size += output.length
    rest = rest.subarray(consumed)
  } while (rest.length > 0)
  return outputs.length === 1 ? outputs[0] : Buffer.concat(outputs)
}

const DECODERS: ReadonlyMap<string, Decompress> = new Map([
  ['', identity],
  ['identity', identity],
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', zlib],
  ['zstd', zstd],
])

type Engine = (
  body: Buffer,
  options: ZlibOptions & ZstdOptions,
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void

function run(
  engine: Engine,
  name: string,
  body: Buffer,
  limit: number,
  already = 0,
): Promise<{ readonly output: Buffer; readonly consumed: number }> {
  const options = { info: true, maxOutputLength: Math.max(1, limit - already), chunkSize: CHUNK }
  if (name === 'zstd')
    Object.assign(options, { params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })
  return new Promise((resolve, reject) => {
    engine(body, options, (error, result) => {
      if (error === null) {
        // With `info`, which the types do not know, the result is not just the output.
        const { buffer, engine: used } = result as unknown as { buffer: Buffer; engine: Zlib }
        resolve({ output: buffer, consumed: used.bytesWritten })
      } else if (error.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(limit))
      else reject(new MalformedError(`the body is not valid ${name} (${error.code})`))
    })
  })
}

function tooLarge(limit: number): Refusal {
  return new Refusal('too_large', `the request is larger than ${limit} bytes (max_request_body_size)`)
}
