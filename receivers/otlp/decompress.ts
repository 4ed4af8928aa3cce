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
/** Output is made in pieces of this size, unless its length is known: a large one takes few turns. */
const CHUNK = 128 * 1024
/** How much larger than its gzip a piece may be on the gzip's word. */
const BELIEVED_RATIO = 16
/** How small pieces get on its word, so that a large output never takes very many. */
const SMALLEST_CHUNK = 4096
/** zlib needs a little room to see that it has come to the end. */
const ROOM = 64

/** The most that a request may take, compressed or not. */
export class SizeLimit {
  readonly bytes: number
  readonly #setting: string

  /** `setting` is the one to change for more. */
  constructor(bytes: number, setting: string) {
    this.bytes = bytes
    this.#setting = setting
  }

  exceeded(): Refusal {
    return new Refusal('too_large', `the request is larger than ${this.bytes} bytes (${this.#setting})`)
  }
}

/**
 * Undoes a compression. The result takes no more than the limit.
 * @throws Refusal when it would
 * @throws MalformedError when it cannot be decompressed
 */
export type Decompress = (body: Buffer, limit: SizeLimit) => Promise<Buffer>

const gzip: Decompress = async (body, limit) =>
  (await run(gunzip, 'gzip', body, limit, { chunkSize: gzipChunk(body, limit) })).output
const zlib: Decompress = async (body, limit) => (await run(inflate, 'deflate', body, limit)).output

/** A body may be several frames, one after the other; the library decompresses one at a time. */
const zstd: Decompress = async (body, limit) => {
  const outputs: Buffer[] = []
  let size = 0
  let rest = body
  do {
    const { output, consumed } = await run(zstdDecompress, 'zstd', rest, limit, { already: size })
    if (outputs.push(output) > ZSTD_FRAMES)
      throw new MalformedError(`the body has more than ${ZSTD_FRAMES} zstd frames`)
    size += output.length
    rest = rest.subarray(consumed)
  } while (rest.length > 0)
  return outputs.length === 1 ? outputs[0] : Buffer.concat(outputs)
}

/** By their names in Content-Encoding and grpc-encoding. */
export const DECOMPRESSORS: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', gzip],
  ['deflate', zlib],
  ['zstd', zstd],
])

/**
 * A gzip ends with the length of its last member, mostly its only one: a piece of that size saves putting many together.
 * It may be far from the truth, so it counts within limits.
 */
function gzipChunk(gzip: Buffer, limit: SizeLimit): number {
  const announced = gzip.length < 4 ? 0 : gzip.readUInt32LE(gzip.length - 4)
  const most = Math.min(limit.bytes, Math.max(CHUNK, gzip.length * BELIEVED_RATIO))
  const least = Math.max(SMALLEST_CHUNK, gzip.length)
  return Math.max(least, Math.min(announced, most) + ROOM)
}

type Engine = (
  body: Buffer,
  options: ZlibOptions & ZstdOptions,
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void

function run(
  engine: Engine,
  name: string,
  body: Buffer,
  limit: SizeLimit,
  { already = 0, chunkSize = CHUNK }: { readonly already?: number; readonly chunkSize?: number } = {},
): Promise<{ readonly output: Buffer; readonly consumed: number }> {
  const options = { info: true, maxOutputLength: Math.max(1, limit.bytes - already), chunkSize }
  if (name === 'zstd')
    Object.assign(options, { params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })
  return new Promise((resolve, reject) => {
    engine(body, options, (error, result) => {
      if (error === null) {
        // With `info`, which the types do not know, the result is not just the output.
        const { buffer, engine: used } = result as unknown as { buffer: Buffer; engine: Zlib }
        resolve({ output: buffer, consumed: used.bytesWritten })
      } else if (error.code === 'ERR_BUFFER_TOO_LARGE') reject(limit.exceeded())
      else reject(new MalformedError(`the body is not valid ${name} (${error.code})`))
    })
  })
}
