import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ErrorCode, Setting } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { makeRequest } from '../../../support/requests.ts'
import { CANCEL, Flag, FrameClient, frameOf, openingOf, settingsOf, Type, uint32 } from '../frames.ts'
import { frame, gate, type Harness, serve } from '../harness.ts'

const REJECTED_CONNECTIONS = 'sluice_receiver_rejected_connections_total'
const small = makeRequest({ records: 1 })
const OPEN = openingOf(1)
const START = frameOf(Type.data, Flag.none, 1, frame(small).subarray(0, 5))
const portOf = ({ receiver }: Harness): number => receiver.port('grpc') ?? 0

async function greeted(harness: Harness): Promise<FrameClient> {
  const client = new FrameClient(portOf(harness))
  client.greet()
  await client.roundTrip()
  return client
}

describe('a flood', () => {
  it.each<[string, Buffer[], Buffer]>([
    ['empty DATA', [OPEN], frameOf(Type.data, Flag.none, 1)],
    ['DATA that is all padding', [OPEN], frameOf(Type.data, Flag.padded, 1, Buffer.from([1, 0]))],
    [
      'empty DATA on a closed stream',
      [OPEN, frameOf(Type.reset, Flag.none, 1, CANCEL)],
      frameOf(Type.data, Flag.none, 1),
    ],
    ['SETTINGS', [], settingsOf([Setting.initialWindowSize, 100])],
    ['empty SETTINGS', [], frameOf(Type.settings, Flag.none, 0)],
    ['acknowledgements of SETTINGS', [], frameOf(Type.settings, Flag.ack, 0)],
    ['answers to PING', [], frameOf(Type.ping, Flag.ack, 0, Buffer.alloc(8))],
    ['PRIORITY', [], frameOf(Type.priority, Flag.none, 1, Buffer.alloc(5))],
    ['WINDOW_UPDATE by 1 of the connection', [], frameOf(Type.windowUpdate, Flag.none, 0, uint32(1))],
    ['WINDOW_UPDATE by 1 of a stream', [OPEN, START], frameOf(Type.windowUpdate, Flag.none, 1, uint32(1))],
    [
      'RST_STREAM of a closed stream',
      [OPEN, frameOf(Type.reset, Flag.none, 1, CANCEL)],
      frameOf(Type.reset, Flag.none, 1, CANCEL),
    ],
    ['GOAWAY', [OPEN, START], frameOf(Type.goaway, Flag.none, 0, Buffer.alloc(8))],
    ['frames that nobody knows', [], frameOf(99, Flag.none, 0)],
  ])('is ended with ENHANCE_YOUR_CALM and counted: %s', async (_, before, one) => {
    const harness = await serve()
    const client = await greeted(harness)
    client.send(...before, ...Array<Buffer>(2000).fill(one))
    expect(await client.goaway()).toBe(ErrorCode.enhanceYourCalm)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'flood' })).toBe(1)
    expect((await harness.grpc(small)).code).toBe(0)
  })

  it('is ended with ENHANCE_YOUR_CALM: PING', async () => {
    const harness = await serve()
    const client = new FrameClient(portOf(harness))
    client.greet()
    client.send(...Array<Buffer>(2000).fill(frameOf(Type.ping, Flag.none, 0, Buffer.alloc(8))))
    expect(await client.goaway()).toBe(ErrorCode.enhanceYourCalm)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'pings' })).toBe(1)
  })

  it.each([
    ['that hold something', Buffer.alloc(10_000)],
    ['that hold nothing', Buffer.alloc(0)],
  ])('is ended with ENHANCE_YOUR_CALM: CONTINUATION frames %s (CVE-2024-27316)', async (_, payload) => {
    const harness = await serve()
    const client = await greeted(harness)
    client.send(frameOf(Type.headers, Flag.none, 1))
    client.send(...Array<Buffer>(100).fill(frameOf(Type.continuation, Flag.none, 1, payload)))
    expect(await client.goaway()).toBe(ErrorCode.enhanceYourCalm)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'flood' })).toBe(1)
  })

  it('is ended with ENHANCE_YOUR_CALM: streams that have us reset them (CVE-2025-8671)', async () => {
    const harness = await serve(() => new Promise(() => {}))
    const client = await greeted(harness)
    const wrong = (stream: number): Buffer => frameOf(Type.windowUpdate, Flag.none, stream, uint32(0))
    for (let stream = 1; stream < 2000; stream += 2) {
      client.send(openingOf(stream), frameOf(Type.data, Flag.endStream, stream, frame(small)), wrong(stream))
    }
    expect(await client.goaway()).toBe(ErrorCode.enhanceYourCalm)
    expect(harness.batches.length).toBeLessThan(300)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'rapid_reset' })).toBe(1)
  })

  it('is not what a client does that says something of its windows with each call', async () => {
    const harness = await serve()
    const client = await greeted(harness)
    for (let stream = 1; stream < 4000; stream += 2) {
      client.send(openingOf(stream), frameOf(Type.data, Flag.endStream, stream, frame(small)))
      client.send(...[0, 0, 0].map((id) => frameOf(Type.windowUpdate, Flag.none, id, uint32(5))))
      if (stream % 99 === 0) await client.roundTrip()
    }
    await expect.poll(() => harness.batches.length).toBe(2000)
    expect(client.types).not.toContain(Type.goaway)
  })
})

describe('streams', () => {
  it('beyond max_concurrent_streams are refused, and their clients may try them again', async () => {
    const finish = gate()
    const protocols = { grpc: { endpoint: '127.0.0.1:0', max_concurrent_streams: 2 } }
    const harness = await serve(() => finish.opened, protocols)
    const client = await greeted(harness)
    for (const stream of [1, 3, 5])
      client.send(openingOf(stream), frameOf(Type.data, Flag.endStream, stream, frame(small)))
    expect(await client.reset(5)).toBe(ErrorCode.refusedStream)
    finish.open()
    await client.frame((one) => one.stream === 3 && one.flags === (Flag.endStream | Flag.endHeaders))
    expect(harness.batches).toHaveLength(2)
  })
})

describe('answers that nobody reads', () => {
  it('have a client read no more than so much, until it reads them', async () => {
    const harness = await serve(undefined, {
      grpc: { endpoint: '127.0.0.1:0', max_concurrent_streams: 1000 },
    })
    const client = await greeted(harness)
    client.socket.pause()
    let stream = 1
    // Each is answered with a few hundred bytes.
    const send = (): void => {
      for (let i = 0; i < 500; i++, stream += 2)
        client.send(openingOf(stream, { 'content-type': 'text/plain' }))
    }
    // As long as the server takes them.
    do {
      send()
      await setImmediate()
    } while (client.socket.writableLength < 1024 * 1024)
    const counted = (): Promise<number> => harness.context.value('otelcol_receiver_requests')
    const taken = await counted()
    expect(taken * 2).toBeLessThan(stream - 1)
    expect((await harness.grpc(small)).code).toBe(0)

    client.socket.resume()
    await expect.poll(counted, { timeout: 20_000 }).toBe((stream - 1) / 2 + 1)
    expect(client.types).not.toContain(Type.goaway)
  })

  it('end the connection where it has no room for very many of them', async () => {
    const protocols = { grpc: { endpoint: '127.0.0.1:0', reflection: true } }
    const harness = await serve(undefined, protocols)
    const client = await greeted(harness)
    const file = 'opentelemetry/proto/collector/logs/v1/logs_service.proto'
    const question = frame(Buffer.concat([Buffer.from([0x1a, file.length]), Buffer.from(file)]))
    client.send(openingOf(1, { ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' }))
    client.send(...Array<Buffer>(500).fill(frameOf(Type.data, Flag.none, 1, question)))
    expect(await client.goaway()).toBe(ErrorCode.enhanceYourCalm)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'flood' })).toBe(1)
  })
})

describe('a frame that does not come to its end', () => {
  it.each([
    ['HEADERS', OPEN.subarray(0, 30)],
    ['a header block', frameOf(Type.headers, Flag.none, 1)],
    ['the header of a frame', OPEN.subarray(0, 4)],
    ['a frame that nobody knows', frameOf(99, Flag.none, 0, Buffer.alloc(100)).subarray(0, 20)],
  ])('closes the connection after read_timeout: %s', async (_, piece) => {
    const client = await greeted(
      await serve(undefined, { grpc: { endpoint: '127.0.0.1:0', read_timeout: '300ms' } }),
    )
    client.send(piece)
    await client.closed
  })
})
