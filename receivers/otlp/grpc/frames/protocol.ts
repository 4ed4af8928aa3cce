/** The numbers of HTTP/2: RFC 9113, sections 3.4, 4.1, 6 and 7. */

export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** A length of three bytes, a type, flags, and four bytes of which all but the first bit name a stream. */
export const FRAME_HEADER_BYTES = 9
/** Where a frame header has the number of its stream. */
export const STREAM_AT = 5
/** What everybody takes, and what we take: of what a frame holds besides its header. */
export const MAX_FRAME_BYTES = 16_384
/** The largest window, stream identifier and increment; also the mask that leaves the reserved bit out. */
export const MAX_31_BITS = 0x7fff_ffff
/** Windows before anybody says otherwise. */
export const FIRST_WINDOW_BYTES = 65_535

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const Flag = {
  none: 0,
  ack: 0x01,
  endStream: 0x01,
  endHeaders: 0x04,
  padded: 0x08,
  priority: 0x20,
} as const

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const
