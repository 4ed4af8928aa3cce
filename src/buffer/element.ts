import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { LogBatch } from '../logs/batch.ts'
import { ENVELOPE } from '../logs/envelope.ts'
import { MalformedError, WireReader } from '../logs/wire.ts'
import { memory } from '../memory.ts'
import { readLabel } from './label.ts'
import { isSealed, Opener } from './seal.ts'

/** How elements are kept: zstd frames are told by their magic bytes, so a buffer may hold both. */
export type Compression = 'zstd' | 'none'

const ZSTD_MAGIC = 0xfd2fb528
const NO_KEYS = new Opener(() => undefined)
/** No element of ours is larger: what claims to be is not unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024
/** Where a frame does not say how much is in it. */
const USUAL_CHUNK_BYTES = 512 * 1024
/** A frame may claim anything: more than this is unpacked in several pieces. */
const MAX_CHUNK_BYTES = 8 * 1024 * 1024

/** Packs encoded requests, one after the other, as an element of a buffer. The result shares nothing with `requests`, and may be given to `memory`. */
export function packElement(requests: Buffer, compression: Compression, level = 1): Buffer {
  if (compression === 'none') return memory.adopt(Buffer.from(requests))
  const packed = zstdCompressSync(requests, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    // With room for the worst result zstd writes it at once, instead of copying what it reads and what it writes. Pages
    // that are not written to take no memory.
    chunkSize: compressBound(requests.length),
  })
  return memory.adopt(packed)
}

/**
 * Opens an element of a buffer; `opener` has the keys to those that are sealed.
 * @throws MalformedError when it is none, MissingKeyError when it is sealed with a key that `opener` does not have
 */
export function openElement(element: Buffer, opener: Opener = NO_KEYS): LogBatch {
  const { content } = readLabel(element)
  const bytes = isSealed(content) ? unseal(content, opener) : unpack(content)
  // What another tool put in has no envelope, and nobody has checked it yet.
  return beginsWithEnvelope(bytes) ? LogBatch.open(bytes) : LogBatch.decode(bytes)
}

function unseal(element: Buffer, opener: Opener): Buffer {
  const packed = opener.open(element)
  const bytes = unpack(packed)
  if (bytes !== packed) memory.give(packed)
  return bytes
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
      // One piece of the right size, instead of many to be put together.
      const chunkSize = Math.min(MAX_CHUNK_BYTES, contentSize(rest) ?? USUAL_CHUNK_BYTES)
      const { buffer, engine } = unpackFrame(rest, {
        // A piece that is filled to its last byte makes the library begin another.
        chunkSize: chunkSize + constants.Z_MIN_CHUNK,
        maxOutputLength: MAX_UNPACKED_BYTES,
        info: true,
      })
      pieces.push(buffer)
      rest = rest.subarray(engine.bytesWritten)
    }
  } catch (cause) {
    throw new MalformedError('the zstd frame is damaged', { cause })
  }
  return memory.adopt(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
}

/** With `info`, Node returns the engine as well, which its type declarations do not know. */
const unpackFrame = zstdDecompressSync as unknown as (
  frame: Buffer,
  options: ZstdOptions & { readonly info: true },
) => { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }

/**
 * The most that zstd makes of so many bytes: ZSTD_COMPRESSBOUND of its zstd.h, and a byte for Node, which asks again when
 * all is full.
 */
const compressBound = (bytes: number): number => bytes + (bytes >>> 8) + 65

/** Frame_Content_Size of a zstd frame, where it has one: RFC 8878, section 3.1.1.1. */
function contentSize(frame: Buffer): number | undefined {
  const descriptor = frame[4]
  const singleSegment = (descriptor >>> 5) & 1
  const sizeFlag = descriptor >>> 6
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]
  const at = 5 + (1 - singleSegment) + dictionaryBytes
  if (at + 8 > frame.length) return undefined
  if (sizeFlag === 0) return singleSegment === 1 ? frame[at] : undefined
  if (sizeFlag === 1) return frame.readUInt16LE(at) + 256
  return sizeFlag === 2 ? frame.readUInt32LE(at) : Number(frame.readBigUInt64LE(at))
}

const isZstd = (element: Buffer): boolean => element.length >= 4 && element.readUInt32LE(0) === ZSTD_MAGIC
