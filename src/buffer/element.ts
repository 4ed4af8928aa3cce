import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { LogBatch } from '../logs/batch.ts'
import { MalformedError } from '../logs/wire.ts'

/** How elements are kept: zstd frames are told by their magic bytes, so a buffer may hold both. */
export type Compression = 'zstd' | 'none'

const ZSTD_MAGIC = 0xfd2fb528
/** No element of ours is larger: what claims to be is not unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Packs encoded requests, put one after the other, as one element of a buffer. */
export function packElement(requests: readonly Buffer[], compression: Compression): Buffer {
  const bytes = requests.length === 1 ? requests[0] : Buffer.concat(requests)
  return compression === 'zstd' ? zstdCompressSync(bytes, FAST) : bytes
}

/**
 * Opens an element of a buffer.
 * @throws MalformedError when it is none
 */
export function openElement(element: Buffer): LogBatch {
  return LogBatch.open(unpack(element))
}

function unpack(element: Buffer): Buffer {
  if (element.length < 4 || element.readUInt32LE(0) !== ZSTD_MAGIC) return element
  try {
    return zstdDecompressSync(element, { maxOutputLength: MAX_UNPACKED_BYTES })
  } catch (cause) {
    throw new MalformedError('the zstd frame is damaged', { cause })
  }
}
