import { makeRequest } from '../../../support/requests.ts'
import { Flag, FrameClient, frameOf, Type } from '../frames.ts'
import { frame, serve } from '../harness.ts'

/** A whole message of one record. */
export const message = frame(makeRequest({ records: 1 }))
export const END_BOTH = Flag.endStream | Flag.endHeaders
export const REJECTED = 'sluice_receiver_rejected_requests_total'

export const data = (stream: number, payload: Uint8Array, flags: number = Flag.none): Buffer =>
  frameOf(Type.data, flags, stream, payload)

/** A connection that has begun, with a server whose pushes never end if `busy`. */
export async function connected(busy = false) {
  const harness = await serve(busy ? () => new Promise(() => {}) : undefined)
  const client = new FrameClient(harness.receiver.port('grpc') ?? 0)
  client.greet()
  await client.frame(({ type, flags }) => type === Type.settings && flags === Flag.ack)
  return { harness, client }
}
