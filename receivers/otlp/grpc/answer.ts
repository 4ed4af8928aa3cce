import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Failure, Outcome } from '../outcome.ts'
import { encodeStatus, encodeSuccess } from '../status.ts'
import { PREFIX_BYTES } from './message-reader.ts'

const HEADERS: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' }
export const OK_TRAILERS: OutgoingHttpHeaders = { 'grpc-status': '0' }
const ACCEPTED_ENCODINGS = 'identity,gzip,deflate,zstd'
/** gRPC has no use for a date, which would be in every answer. Node's type declarations do not know that it can be left out. */
const NO_DATE: object = { sendDate: false }
const WITH_TRAILERS = { waitForTrailers: true, ...NO_DATE }
const TRAILERS_ONLY = { endStream: true, ...NO_DATE }
/** A message of no bytes, as nearly every answer is. */
const EMPTY: Buffer = Buffer.alloc(PREFIX_BYTES)
/** What a header may not hold as it is, and the sign that escapes it. */
const UNSAFE = /[^\x20-\x24\x26-\x7e]+/g

/** Answers a call that nobody has answered. Nothing happens where its client has gone. */
export function answer(stream: ServerHttp2Stream, outcome: Outcome): void {
  if (stream.destroyed || stream.closed) return
  if (!outcome.ok) {
    refuse(stream, outcome)
    return
  }
  stream.on('wantTrailers', sendOk)
  respond(stream)
  stream.end(outcome.rejected === 0 ? EMPTY : frameMessage(encodeSuccess(outcome)))
}

/** Begins an answer with messages, which ends with trailers. */
export function respond(stream: ServerHttp2Stream): void {
  stream.respond(HEADERS, WITH_TRAILERS)
}

/** Answers a call with an error, and takes no more of it. `status` is that of HTTP, for those who do not speak gRPC. */
export function refuse(stream: ServerHttp2Stream, failure: Failure, status = 200): void {
  if (stream.destroyed || stream.closed) return
  const headers = { ...HEADERS, ':status': status, 'grpc-accept-encoding': ACCEPTED_ENCODINGS }
  stream.respond({ ...headers, ...trailersOf(failure) }, TRAILERS_ONLY)
  // Whatever of the request is still to come need not: RFC 9113, section 8.1.
  stream.close(constants.NGHTTP2_NO_ERROR)
}

/** What a failure is in the trailers of an answer. */
export function trailersOf(failure: Failure): OutgoingHttpHeaders {
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

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS)
}
