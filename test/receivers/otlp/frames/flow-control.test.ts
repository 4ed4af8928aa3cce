import { describe, expect, it } from 'vitest'
import { ErrorCode, Setting } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { type Authenticator, PermanentError } from '../../../../src/component.ts'
import { makeRequest } from '../../../support/requests.ts'
import { Flag, FrameClient, frameOf, openingOf, settingsOf, Type, uint32 } from '../frames.ts'
import { serveGuarded } from '../guarded.ts'
import { frame, gate, rawGrpc, serve } from '../harness.ts'
import { data } from './connected.ts'

const MIB = 1024 * 1024
const REFLECTION = { ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' }
/** Asks for a file, which comes with all that it imports: nearly 5 KB. */
const FILE = 'opentelemetry/proto/collector/logs/v1/logs_service.proto'
const QUESTION = frame(Buffer.concat([Buffer.from([0x1a, FILE.length]), Buffer.from(FILE)]))
const small = makeRequest({ records: 1 })
const enlarging = (stream: number, increment: number): Buffer =>
  frameOf(Type.windowUpdate, Flag.none, stream, uint32(increment))

/** Bytes as DATA frames. */
function dataOf(stream: number, bytes: Buffer, flags: number = Flag.none): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 16_384)
    frames.push(data(stream, bytes.subarray(at, at + 16_384), at + 16_384 < bytes.length ? Flag.none : flags))
  return frames
}

function greeted(port: number, ...settings: Buffer[]): FrameClient {
  const client = new FrameClient(port)
  client.greet()
  client.send(...settings)
  return client
}

/** By how much the client may send more on a stream, or on the connection, which is 0. */
const granted = (client: FrameClient, stream: number): number =>
  client.frames
    .filter((one) => one.type === Type.windowUpdate && one.stream === stream)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)
const updates = (client: FrameClient): number =>
  client.types.filter((type) => type === Type.windowUpdate).length
const sent = (client: FrameClient, stream: number): Buffer[] =>
  client.frames.filter((one) => one.type === Type.data && one.stream === stream).map(({ payload }) => payload)

describe('what a client may send', () => {
  it('is 4 MiB on a connection and 1 MiB of a call, and is renewed seldom', async () => {
    const { receiver } = await serve(
      undefined,
      { grpc: { endpoint: '127.0.0.1:0' } },
      { max_in_flight_bytes: '64MiB' },
    )
    const client = greeted(receiver.port('grpc') ?? 0)
    await client.roundTrip()
    expect(granted(client, 0)).toBe(4 * MIB - 65_535)
    const settings = client.frames[0].payload
    expect(settings.subarray(settings.indexOf(Buffer.from([0, 4]))).readUInt32BE(2)).toBe(MIB)

    const message = frame(Buffer.alloc(3 * MIB))
    client.send(openingOf(1), ...dataOf(1, message))
    await client.roundTrip()
    expect(granted(client, 1)).toBeGreaterThan(2 * MIB)
    expect(granted(client, 0)).toBeGreaterThan(4 * MIB - 65_535 + MIB)
    expect(updates(client)).toBeLessThan(10)
  })

  it('counts padding, and what nobody wants any more', async () => {
    const { receiver } = await serve()
    const client = greeted(receiver.port('grpc') ?? 0)
    client.send(openingOf(1))
    const padded = data(
      1,
      Buffer.concat([Buffer.from([255]), Buffer.alloc(5), Buffer.alloc(255)]),
      Flag.padded,
    )
    // More than a window of each: without renewal neither would be enough.
    client.send(...Array<Buffer>(4100).fill(padded))
    client.send(openingOf(3, { 'content-type': 'text/plain' }))
    client.send(...Array<Buffer>(260).fill(data(3, Buffer.alloc(16_384))))
    await client.roundTrip()
    expect(await client.reset(3)).toBe(ErrorCode.noError)
    expect(granted(client, 0)).toBeGreaterThan(4 * MIB)
    expect(client.types).not.toContain(Type.goaway)
  })

  it('is no more than that of a call, or the call is reset', async () => {
    const { client } = await heldBack()
    client.send(openingOf(1), ...dataOf(1, Buffer.alloc(MIB + 1)))
    expect(await client.reset(1)).toBe(ErrorCode.flowControlError)
    await client.roundTrip()
    expect(client.types).not.toContain(Type.goaway)
  })

  it('is no more than that of a connection, or it is closed', async () => {
    const { client } = await heldBack()
    for (const stream of [1, 3, 5, 7]) client.send(openingOf(stream), ...dataOf(stream, Buffer.alloc(MIB)))
    client.send(openingOf(9), data(9, Buffer.alloc(1)))
    expect(await client.goaway()).toBe(ErrorCode.flowControlError)
  })

  it('waits for whom it is known who sends, and is all there then, whatever the pieces', async () => {
    const { client, known, batches, answer } = await heldBack()
    const message = frame(small)
    client.send(openingOf(1), ...Array.from(message, (byte) => data(1, Buffer.from([byte]))))
    client.send(openingOf(3), ...dataOf(3, frame(Buffer.alloc(MIB - 5))))
    await client.roundTrip()
    expect(granted(client, 3)).toBe(0)
    known.open()
    await expect.poll(() => granted(client, 3)).toBeGreaterThan(0)
    client.send(data(1, Buffer.alloc(0), Flag.endStream))
    await answer(1)
    expect(batches).toHaveLength(1)
  })

  it('comes back where a call that waits is given up', async () => {
    const { client } = await heldBack()
    const before = granted(client, 0)
    for (const stream of [1, 3, 5, 7]) {
      client.send(openingOf(stream), ...dataOf(stream, Buffer.alloc(MIB)))
      client.send(frameOf(Type.reset, Flag.none, stream, uint32(ErrorCode.cancel)))
    }
    await client.roundTrip()
    expect(granted(client, 0) - before).toBe(4 * MIB)
  })

  /** A server that knows nobody until it is told. */
  async function heldBack() {
    const known = gate()
    const authenticator: Authenticator = {
      authenticate: async () => {
        await known.opened
        return { subject: 'somebody' }
      },
    }
    const { port, batches } = await serveGuarded({ authenticator })
    const client = greeted(port('grpc'))
    await client.roundTrip()
    const answer = (stream: number) =>
      client.frame((one) => one.type === Type.headers && one.stream === stream && (one.flags & 1) === 1)
    return { client, known, batches, answer }
  }
})

describe('what a client is sent', () => {
  const reflecting = { grpc: { endpoint: '127.0.0.1:0', reflection: true } }
  const asking = [openingOf(1, REFLECTION), data(1, QUESTION, Flag.endStream)]
  const whole = (client: FrameClient): boolean => {
    const bytes = Buffer.concat(sent(client, 1))
    return bytes.length > 5 && bytes.length === 5 + bytes.readUInt32BE(1)
  }
  const ended = ({ type, flags }: { type: number; flags: number }): boolean =>
    type === Type.headers && (flags & Flag.endStream) !== 0

  it('comes in frames that everybody takes', async () => {
    const { receiver } = await serve(undefined, reflecting)
    const client = greeted(receiver.port('grpc') ?? 0)
    client.send(...asking)
    await client.frame(ended)
    expect(whole(client)).toBe(true)
    expect(sent(client, 1).length).toBeGreaterThan(0)
    for (const piece of sent(client, 1)) expect(piece.length).toBeLessThanOrEqual(16_384)
  })

  it('waits for the window of its stream, which settings change as well', async () => {
    const { receiver } = await serve(undefined, reflecting)
    const client = greeted(receiver.port('grpc') ?? 0, settingsOf([Setting.initialWindowSize, 100]))
    client.send(...asking)
    await expect.poll(() => sent(client, 1).length).toBe(1)
    client.send(settingsOf([Setting.initialWindowSize, 10]))
    await client.roundTrip()
    // 90 less than nothing: it takes 91 until there is room for a byte.
    client.send(enlarging(1, 90))
    await client.roundTrip()
    expect(sent(client, 1).map(({ length }) => length)).toEqual([100])
    client.send(enlarging(1, 1))
    await expect.poll(() => sent(client, 1).map(({ length }) => length)).toEqual([100, 1])
    client.send(settingsOf([Setting.initialWindowSize, 2 ** 31 - 1]))
    await client.frame(ended)
    expect(whole(client)).toBe(true)
  })

  it('waits for the window of the connection', async () => {
    const { receiver } = await serve(undefined, reflecting)
    const client = greeted(receiver.port('grpc') ?? 0, settingsOf([Setting.initialWindowSize, 2 ** 31 - 1]))
    for (let stream = 1; stream < 40; stream += 2)
      client.send(openingOf(stream, REFLECTION), data(stream, QUESTION, Flag.endStream))
    const all = (): number =>
      client.frames
        .filter(({ type }) => type === Type.data)
        .reduce((sum, { payload }) => sum + payload.length, 0)
    await expect.poll(all).toBe(65_535)
    client.send(enlarging(0, 2 ** 30))
    await expect.poll(() => client.frames.filter(ended)).toHaveLength(20)
  })

  it('does not wait where it holds nothing', async () => {
    const { receiver } = await serve()
    const client = greeted(receiver.port('grpc') ?? 0, settingsOf([Setting.initialWindowSize, 0]))
    client.send(openingOf(1, { 'content-type': 'text/plain' }))
    await client.frame(ended)
  })

  it('begins with the size of an empty table where the client will remember less', async () => {
    const { receiver } = await serve()
    const client = greeted(receiver.port('grpc') ?? 0, settingsOf([Setting.headerTableSize, 100]))
    client.send(openingOf(1), data(1, frame(small), Flag.endStream))
    await client.frame(ended)
    client.send(openingOf(3), data(3, frame(small), Flag.endStream))
    await client.frame((one) => one.stream === 3 && ended(one))
    const first = client.frames.filter(({ type }) => type === Type.headers).map(({ payload }) => payload[0])
    expect(first).toEqual([0x20, 0x00, 0x88, 0x00])
  })

  it('goes on in CONTINUATION where it has much to say of itself', async () => {
    const why = '\u4e2d'.repeat(1000)
    const { receiver } = await serve(async () => {
      throw new PermanentError(why)
    })
    const client = greeted(receiver.port('grpc') ?? 0)
    client.send(openingOf(1), data(1, frame(small), Flag.endStream))
    const last = await client.frame(({ type }) => type === Type.continuation)
    const [first] = client.frames.filter(({ type }) => type === Type.headers)
    expect([first.flags, first.payload.length, last.flags]).toEqual([Flag.endStream, 16_384, Flag.endHeaders])

    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small))
    expect(decodeURIComponent(String(answer['grpc-message']))).toBe(why)
  })
})
