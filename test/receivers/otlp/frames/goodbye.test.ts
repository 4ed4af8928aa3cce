import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { never } from '../../../support/component.ts'
import { makeRequest } from '../../../support/requests.ts'
import { Flag, FrameClient, frameOf, openingOf, Type } from '../frames.ts'
import { frame, gate, serve } from '../harness.ts'

const END_BOTH = Flag.endStream | Flag.endHeaders
const message = frame(makeRequest({ records: 1 }))
const call = (stream: number): Buffer[] => [
  openingOf(stream),
  frameOf(Type.data, Flag.endStream, stream, message),
]
const answered = (stream: number) => (one: { type: number; stream: number; flags: number }) =>
  one.type === Type.headers && one.stream === stream && one.flags === END_BOTH
const goodbyes = ({ frames }: FrameClient): number[][] =>
  frames
    .filter(({ type }) => type === Type.goaway)
    .map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)])

/** A server that is stopping, and a client of it that has a call under way and the notice. */
async function stopping() {
  const finish = gate()
  const harness = await serve(() => finish.opened)
  const client = new FrameClient(harness.receiver.port('grpc') ?? 0)
  client.greet()
  client.send(...call(1))
  await expect.poll(() => harness.batches).toHaveLength(1)
  const stopped = harness.receiver.stop(never)
  await client.frame(({ type }) => type === Type.goaway)
  const ping = await client.frame(({ type, flags }) => type === Type.ping && flags === Flag.none)
  return { harness, client, finish, stopped, pong: frameOf(Type.ping, Flag.ack, 0, ping.payload) }
}

describe('the end of a connection', () => {
  it('is announced, and calls that cross with that are taken', async () => {
    const { harness, client, finish, stopped, pong } = await stopping()
    expect(goodbyes(client)).toEqual([[2 ** 31 - 1, ErrorCode.noError]])

    client.send(...call(3), pong)
    await expect.poll(() => goodbyes(client)).toHaveLength(2)
    expect(goodbyes(client)[1]).toEqual([3, ErrorCode.noError])
    client.send(...call(5))
    expect(await client.reset(5)).toBe(ErrorCode.refusedStream)

    finish.open()
    await client.closed
    expect(client.frames.some(answered(1)) && client.frames.some(answered(3))).toBe(true)
    expect(harness.batches).toHaveLength(2)
    await stopped
  })

  it('does not wait for ever for a client that does not answer the notice', async () => {
    const { client, finish, stopped } = await stopping()
    await client.frame(({ type, payload }) => type === Type.goaway && payload.readUInt32BE(0) === 1)
    finish.open()
    await client.closed
    await stopped
  })

  it('comes by the deadline, with calls cancelled', async () => {
    const { harness, client } = await stopping()
    await harness.receiver.stop(AbortSignal.abort())
    await client.closed
    expect(await client.reset(1)).toBe(ErrorCode.cancel)
    expect(await harness.context.value('sluice_receiver_rejected_connections_total')).toBe(0)
  })

  it('comes after the calls of a client that says it will open no more', async () => {
    const finish = gate()
    const harness = await serve(() => finish.opened)
    const client = new FrameClient(harness.receiver.port('grpc') ?? 0)
    client.greet()
    client.send(...call(1), frameOf(Type.goaway, Flag.none, 0, Buffer.alloc(8)))
    await expect.poll(() => harness.batches).toHaveLength(1)
    await client.roundTrip()
    finish.open()
    await client.closed
    expect(client.frames.some(answered(1))).toBe(true)
  })
})
