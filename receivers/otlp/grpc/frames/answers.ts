import { EMPTY, HEADERS, OK_TRAILERS } from '../answer.ts'
import { FrameWriter } from './frame-writer.ts'
import { encodeFields } from './hpack/encode.ts'
import { Flag, FRAME_HEADER_BYTES, STREAM_AT } from './protocol.ts'

/** Blocks of nearly every answer. They mean the same on every connection, so they are made once. */
export const RESPONSE_BLOCK: Buffer = encodeFields(HEADERS)
export const OK_BLOCK: Buffer = encodeFields(OK_TRAILERS)

/** Answers of calls that succeeded and have nothing more to say: HEADERS, a message of no bytes, trailers. */
export const SUCCESS: Buffer = success()
const DATA_AT = FRAME_HEADER_BYTES + RESPONSE_BLOCK.length
const TRAILERS_AT = DATA_AT + FRAME_HEADER_BYTES + EMPTY.length
export const SUCCESS_STREAMS: readonly number[] = [STREAM_AT, DATA_AT + STREAM_AT, TRAILERS_AT + STREAM_AT]

function success(): Buffer {
  const writer = new FrameWriter()
  writer.headers(0, RESPONSE_BLOCK, Flag.none)
  writer.data(0, EMPTY, 0, EMPTY.length)
  writer.headers(0, OK_BLOCK, Flag.endStream)
  return Buffer.from(writer.take())
}
