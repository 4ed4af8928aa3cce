/** RFC 8878, section 3.1.1. */
const ZSTD_MAGIC = 0xfd2fb528
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]

/** What a gzip says at its end about the size of its last member, mostly its only one: RFC 1952, section 2.3.1. */
export function announcedByGzip(body: Buffer): number | undefined {
  return body.length < 4 ? undefined : body.readUInt32LE(body.length - 4)
}

/** What a zstd frame says in its header about the size of its content, where it does. */
export function announcedByZstd(body: Buffer): number | undefined {
  if (body.length < 5 || body.readUInt32LE(0) !== ZSTD_MAGIC) return undefined
  const descriptor = body[4]
  const isSingleSegment = (descriptor & 0x20) !== 0
  const size = CONTENT_SIZE_BYTES[descriptor >> 6] || (isSingleSegment ? 1 : 0)
  const at = 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]
  if (size === 0 || body.length < at + size) return undefined
  if (size === 8) return Number(body.readBigUInt64LE(at))
  // In two bytes there is no need for what fits in one.
  return body.readUIntLE(at, size) + (size === 2 ? 256 : 0)
}
