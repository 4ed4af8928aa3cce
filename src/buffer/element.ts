import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { LogBatch } from '../logs/batch.ts'
import { ENVELOPE } from '../logs/envelope.ts'
import { MalformedError, WireReader } from '../logs/wire.ts'

/** How elements are kept: zstd frames are told by their magic bytes, so a buffer may hold both. */
export type Compression = 'zstd' | 'none'

const ZSTD_MAGIC = 0xfd2fb528
/** No element of ours is larger: what claims to be is not unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024
/** Logs shrink to a fifth or less: unpacking into one large piece saves putting many small ones together. */
const USUAL_RATIO = 8
const MIN_CHUNK_BYTES = 64 * 1024
const MAX_CHUNK_BYTES = 4 * 1024 * 1024

/** Packs encoded requests, one after the other, as an element of a buffer. The result shares nothing with `requests`. */
export function packElement(requests: Buffer, compression: Compression): Buffer {
  if (compression === 'none') return Buffer.from(requests)
  return zstdCompressSync(requests, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    // One piece for the usual result, instead of many to be put together.
    chunkSize: Math.max(MIN_CHUNK_BYTES, requests.length >>> 2),
  })
}

/**
 * Opens an element of a buffer.
 * @throws MalformedError when it is none
 */
export function openElement(element: Buffer): LogBatch {
  const bytes = unpack(element)
  // What another tool put in has no envelope, and nobody has checked it yet.
  return beginsWithEnvelope(bytes) ? LogBatch.open(bytes) : LogBatch.decode(bytes)
}

function beginsWithEnvelope(bytes: Buffer): boolean {
  return bytes.length > 0 && new WireReader(bytes).tag(bytes.length) === ENVELOPE
}

function unpack(element: Buffer): Buffer {
  if (!isZstd(element)) return element
  const pieces: Buffer[] = []
  try {
    // Frames may follow one another; Node's one-shot call stops after the first.
    for (let rest = element; rest.length > 0; ) {
      const chunkSize = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, rest.length * USUAL_RATIO))
      const { buffer, engine } = unpackFrame(rest, {
        chunkSize,
        maxOutputLength: MAX_UNPACKED_BYTES,
        info: true,
      })
      pieces.push(buffer)
      rest = rest.subarray(engine.bytesWritten)
    }
  } catch (cause) {
    throw new MalformedError('the zstd frame is damaged', { cause })
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
}

/** With `info`, Node returns the engine as well, which its type declarations do not know. */
const unpackFrame = zstdDecompressSync as unknown as (
  frame: Buffer,
  options: ZstdOptions & { readonly info: true },
) => { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }

const isZstd = (element: Buffer): boolean => element.length >= 4 && element.readUInt32LE(0) === ZSTD_MAGIC
