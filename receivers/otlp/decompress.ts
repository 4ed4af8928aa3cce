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

/** By their names in Content-Encoding and grpc-encoding. */
export const DECOMPRESSORS: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', gzip],
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
  limit: SizeLimit,
  already = 0,
): Promise<{ readonly output: Buffer; readonly consumed: number }> {
  const options = { info: true, maxOutputLength: Math.max(1, limit.bytes - already), chunkSize: CHUNK }
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
