import { gzipSync } from 'node:zlib'
import { makeTimedPayload, type PayloadOptions } from '../payload.ts'

export type Protocol = 'grpc' | 'http'

/** A prepared request body: for gRPC with the five bytes that go before a message. */
export interface Frame {
  readonly bytes: Buffer
  /** Where each record's `time_unix_nano` lies; nothing can be changed in compressed ones. */
  readonly times: readonly number[]
}

const GRPC_PREFIX = 5

export function makeFrame(payload: PayloadOptions, protocol: Protocol, gzip: boolean): Frame {
  const { bytes, times } = makeTimedPayload(payload)
  const body = gzip ? gzipSync(bytes) : bytes
  if (protocol === 'http') return { bytes: body, times }
  const framed = Buffer.alloc(GRPC_PREFIX + body.length)
  framed[0] = gzip ? 1 : 0
  framed.writeUInt32BE(body.length, 1)
  body.copy(framed, GRPC_PREFIX)
  return { bytes: framed, times: times.map((at) => at + GRPC_PREFIX) }
}

/** A copy that `stamp` may change. */
export function copyFrame({ bytes, times }: Frame): Frame {
  return { bytes: Buffer.from(bytes), times }
}

/** Makes `milliseconds` since 1970 the time of every record. */
export function stamp({ bytes, times }: Frame, milliseconds: number): void {
  const nanoseconds = BigInt(Math.round(milliseconds * 1000)) * 1000n
  const low = Number(nanoseconds & 0xffff_ffffn)
  const high = Number(nanoseconds >> 32n)
  for (const at of times) {
    bytes.writeUInt32LE(low, at)
    bytes.writeUInt32LE(high, at + 4)
  }
}
