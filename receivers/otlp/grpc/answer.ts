import type { Failure, Outcome } from '../outcome.ts'
import { encodeStatus, encodeSuccess } from '../status.ts'
import type { CallStream, Fields } from './call-stream.ts'
import { PREFIX_BYTES } from './message-reader.ts'

export const HEADERS: Fields = { ':status': 200, 'content-type': 'application/grpc' }
export const OK_TRAILERS: Fields = { 'grpc-status': '0' }
const ACCEPTED_ENCODINGS = 'identity,gzip,deflate,zstd'
/** A message of no bytes, as nearly every answer is. */
export const EMPTY: Buffer = Buffer.alloc(PREFIX_BYTES)
/** What a header may not hold as it is, and the sign that escapes it. */
const UNSAFE = /[^\x20-\x24\x26-\x7e]+/g

/** Answers a call that nobody has answered. Nothing happens where its client has gone. */
export function answer(stream: CallStream, outcome: Outcome): void {
  if (stream.closed) return
  if (!outcome.ok) refuse(stream, outcome)
  else stream.succeed(outcome.rejected === 0 ? EMPTY : frameMessage(encodeSuccess(outcome)))
}

/** Answers a call with an error, and takes no more of it. `status` is that of HTTP, for those who do not speak gRPC. */
export function refuse(stream: CallStream, failure: Failure, status = 200): void {
  if (stream.closed) return
  const headers = { ...HEADERS, ':status': status, 'grpc-accept-encoding': ACCEPTED_ENCODINGS }
  stream.refuse({ ...headers, ...trailersOf(failure) })
}

/** What a failure is in the trailers of an answer. */
export function trailersOf(failure: Failure): Fields {
  return {
    'grpc-status': failure.code,
    'grpc-message': failure.message.replace(UNSAFE, encodeURIComponent),
    'grpc-status-details-bin': encodeStatus(failure).toString('base64').replace(/=+$/, ''),
  }
}

/** A message as gRPC sends it, not compressed. */
export function frameMessage(message: Buffer): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length)
  framed.writeUInt32BE(message.length, 1)
  message.copy(framed, PREFIX_BYTES)
  return framed
}
