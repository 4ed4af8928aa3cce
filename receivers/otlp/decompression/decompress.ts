import {
  constants,
  gunzip,
  inflate,
  type Zlib,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompress,
} from 'node:zlib'
import { MalformedError } from '../../../src/logs/wire.ts'
import type { Hold } from '../limits/in-flight.ts'
import { Refusal } from '../outcome.ts'
import { announcedByGzip, announcedByZstd } from './announced.ts'

/** RFC 9659 allows no larger window in HTTP. A frame may ask for 128 MiB, whatever the size of the body. */
const ZSTD_WINDOW_LOG = 23
/** Parallel compressors write one per piece; each costs a call, however little is in it. */
const ZSTD_FRAMES = 100
/** Output is made in pieces of this size, unless its length is known: a large one takes few turns. */
const CHUNK = 128 * 1024
/** How much larger than its compressed form a body is taken to be, where it does not say; and a piece, on its word. */
const BELIEVED_RATIO = 16
/** Up to what gRPC servers take by default, which senders are set to, the same line may be there however often. */
const RATIO_FREE_BYTES = 4 * 1024 * 1024
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

/** What the decompression of one request may take. */
export interface Room {
  readonly limit: SizeLimit
  /** Of what comes out to what went in. */
  readonly maxRatio: number
  readonly hold: Hold
}

/**
 * Undoes a compression. The result takes no more than the limit, and is held in the room.
 * @throws Refusal when it would
 * @throws RetryableError when there is no memory for it now
 * @throws MalformedError when it cannot be decompressed
 */
export type Decompress = (body: Buffer, room: Room) => Promise<Buffer>

const gzip: Decompress = async (body, room) => {
  const announced = announcedByGzip(body)
  const chunkSize = gzipChunk(body, room.limit, announced ?? 0)
  return (await expand({ engine: gunzip, name: 'gzip', body, announced, chunkSize }, room)).output
}

const zlib: Decompress = async (body, room) =>
  (await expand({ engine: inflate, name: 'deflate', body }, room)).output

/** A body may be several frames, one after the other; the library decompresses one at a time. */
const zstd: Decompress = async (body, room) => {
  const outputs: Buffer[] = []
  let already = 0
  let rest = body
  do {
    const announced = announcedByZstd(rest)
    const input = { engine: zstdDecompress, name: 'zstd', body: rest, announced, already }
    const { output, consumed } = await expand(input, room)
    if (outputs.push(output) > ZSTD_FRAMES)
      throw new MalformedError(`the body has more than ${ZSTD_FRAMES} zstd frames`)
    already += output.length
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
 * A piece of the size that a gzip announces saves putting many together. It may be far from the truth, so it counts
 * within limits.
 */
function gzipChunk(gzip: Buffer, limit: SizeLimit, announced: number): number {
  const most = Math.min(limit.bytes, Math.max(CHUNK, gzip.length * BELIEVED_RATIO))
  const least = Math.max(SMALLEST_CHUNK, gzip.length)
  return Math.max(least, Math.min(announced, most) + ROOM)
}

type Engine = (
  body: Buffer,
  options: ZlibOptions & ZstdOptions,
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void

interface Compressed {
  readonly engine: Engine
  readonly name: string
  readonly body: Buffer
  /** Bytes that it says it becomes. */
  readonly announced?: number | undefined
  /** Bytes that other parts of the request have become. */
  readonly already?: number
  readonly chunkSize?: number
}

interface Expanded {
  readonly output: Buffer
  readonly consumed: number
}

/**
 * Decompresses into as much memory as a body is likely to need; where that is not enough, again into as much as it may
 * have at all. So little memory is held for many, and none is taken that is not held.
 */
async function expand(compressed: Compressed, { limit, maxRatio, hold }: Room): Promise<Expanded> {
  const { name, body, announced, already = 0 } = compressed
  const allowed = Math.max(RATIO_FREE_BYTES, body.length * maxRatio)
  const most = Math.max(1, Math.min(limit.bytes - already, allowed))
  const likely = Math.min(most, announced ?? Math.max(CHUNK, body.length * BELIEVED_RATIO))
  let held = 0
  // A size of 0 is no announcement, and an engine needs room for a byte.
  for (const size of new Set([Math.max(1, likely), most])) {
    hold.take(size - held)
    held = size
    const expanded = await run(compressed, size)
    if (expanded === undefined) continue
    hold.give(held - expanded.output.length)
    return expanded
  }
  if (limit.bytes - already <= allowed) throw limit.exceeded()
  throw new Refusal(
    'compression_ratio',
    `the ${name} becomes more than ${maxRatio} times its size (limits.max_compression_ratio)`,
  )
}

/** Undefined where more than `maxBytes` would come out. */
function run({ engine, name, body, chunkSize = CHUNK }: Compressed, maxBytes: number) {
  const options = { info: true, maxOutputLength: maxBytes, chunkSize }
  if (name === 'zstd')
    Object.assign(options, { params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })
  return new Promise<Expanded | undefined>((resolve, reject) => {
    engine(body, options, (error, result) => {
      if (error === null) {
        // With `info`, which the types do not know, the result is not just the output.
        const { buffer, engine: used } = result as unknown as { buffer: Buffer; engine: Zlib }
        resolve({ output: buffer, consumed: used.bytesWritten })
      } else if (error.code === 'ERR_BUFFER_TOO_LARGE') resolve(undefined)
      else reject(new MalformedError(`the body is not valid ${name} (${error.code})`))
    })
  })
}
