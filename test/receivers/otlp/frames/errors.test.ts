import { describe, expect, it } from 'vitest'
import { ErrorCode, Setting } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { makeRequest } from '../../../support/requests.ts'
import {
  blockOf,
  CANCEL,
  callBlock,
  Flag,
  FrameClient,
  frameOf,
  openingOf,
  settingsOf,
  Type,
  uint32,
} from '../frames.ts'
import { serve } from '../harness.ts'
import { connected, data, END_BOTH, message } from './connected.ts'

const REJECTED_CONNECTIONS = 'sluice_receiver_rejected_connections_total'
const START = message.subarray(0, 5)
const trailers = (
  stream: number,
  fields: readonly (readonly [string, string])[],
  flags: number = END_BOTH,
): Buffer => frameOf(Type.headers, flags, stream, blockOf(fields))
/** A call that has been opened, answered, and is closed. */
const CALL = [openingOf(1), data(1, message, Flag.endStream)]
const HALF = [openingOf(1), data(1, START)]

describe('the connection is closed, with its reason', () => {
  it.each<[string, number, readonly Buffer[]]>([
    // Section 4.
    ['a frame longer than 16,384 bytes', ErrorCode.frameSizeError, [data(1, Buffer.alloc(16_385))]],
    [
      'a header block that is interrupted',
      ErrorCode.protocolError,
      [frameOf(Type.headers, Flag.none, 1, callBlock()), data(1, START)],
    ],
    [
      'a header block that is interrupted by one of another stream',
      ErrorCode.protocolError,
      [frameOf(Type.headers, Flag.none, 1), frameOf(Type.continuation, Flag.endHeaders, 3)],
    ],
    [
      'a header block that is interrupted by a frame nobody knows',
      ErrorCode.protocolError,
      [frameOf(Type.headers, Flag.none, 1), frameOf(99, Flag.none, 1)],
    ],
    [
      'a header block that cannot be read',
      ErrorCode.compressionError,
      [frameOf(Type.headers, Flag.endHeaders, 1, Buffer.from([0x80]))],
    ],
    // Section 5.1: idle.
    ['DATA on an idle stream', ErrorCode.protocolError, [data(1, START)]],
    ['RST_STREAM on an idle stream', ErrorCode.protocolError, [frameOf(Type.reset, Flag.none, 1, CANCEL)]],
    [
      'WINDOW_UPDATE on an idle stream',
      ErrorCode.protocolError,
      [frameOf(Type.windowUpdate, Flag.none, 1, uint32(1))],
    ],
    [
      'DATA on a stream of ours, which there is none',
      ErrorCode.protocolError,
      [openingOf(5), data(2, START)],
    ],
    // Section 5.1: closed.
    ['DATA on a stream that both have ended', ErrorCode.streamClosed, [...CALL, data(1, START)]],
    ['HEADERS on a stream that both have ended', ErrorCode.streamClosed, [...CALL, openingOf(1)]],
    ['a stream with an even number', ErrorCode.protocolError, [openingOf(2)]],
    ['a stream with a lower number than the last', ErrorCode.protocolError, [openingOf(5), openingOf(3)]],
    // Section 6.1 and 6.2.
    ['DATA on no stream', ErrorCode.protocolError, [data(0, START)]],
    [
      'DATA that is all padding and more',
      ErrorCode.protocolError,
      [openingOf(1), data(1, Buffer.from([5, 0, 0]), Flag.padded)],
    ],
    [
      'DATA without room for the length of its padding',
      ErrorCode.frameSizeError,
      [openingOf(1), data(1, Buffer.alloc(0), Flag.padded)],
    ],
    ['HEADERS on no stream', ErrorCode.protocolError, [openingOf(0)]],
    [
      'HEADERS that are all padding and more',
      ErrorCode.protocolError,
      [frameOf(Type.headers, Flag.endHeaders | Flag.padded, 1, Buffer.from([9, 0x82]))],
    ],
    [
      'HEADERS without room for their priority',
      ErrorCode.frameSizeError,
      [frameOf(Type.headers, Flag.endHeaders | Flag.priority, 1, Buffer.alloc(4))],
    ],
    [
      'HEADERS that depend on themselves',
      ErrorCode.protocolError,
      [
        frameOf(
          Type.headers,
          Flag.endHeaders | Flag.priority,
          1,
          Buffer.concat([uint32(1), Buffer.from([1]), callBlock()]),
        ),
      ],
    ],
    // Section 6.3 to 6.10.
    [
      'PRIORITY of no stream',
      ErrorCode.protocolError,
      [frameOf(Type.priority, Flag.none, 0, Buffer.alloc(5))],
    ],
    [
      'PRIORITY of four bytes, of an idle stream',
      ErrorCode.frameSizeError,
      [frameOf(Type.priority, Flag.none, 1, Buffer.alloc(4))],
    ],
    ['RST_STREAM of no stream', ErrorCode.protocolError, [frameOf(Type.reset, Flag.none, 0, CANCEL)]],
    [
      'RST_STREAM of three bytes',
      ErrorCode.frameSizeError,
      [openingOf(1), frameOf(Type.reset, Flag.none, 1, Buffer.alloc(3))],
    ],
    ['SETTINGS of a stream', ErrorCode.protocolError, [frameOf(Type.settings, Flag.none, 1)]],
    [
      'SETTINGS of a broken length',
      ErrorCode.frameSizeError,
      [frameOf(Type.settings, Flag.none, 0, Buffer.alloc(5))],
    ],
    [
      'an acknowledgement that holds something',
      ErrorCode.frameSizeError,
      [frameOf(Type.settings, Flag.ack, 0, Buffer.alloc(6))],
    ],
    ['ENABLE_PUSH of 2', ErrorCode.protocolError, [settingsOf([Setting.enablePush, 2])]],
    [
      'INITIAL_WINDOW_SIZE of 2^31',
      ErrorCode.flowControlError,
      [settingsOf([Setting.initialWindowSize, 2 ** 31])],
    ],
    ['MAX_FRAME_SIZE below 16,384', ErrorCode.protocolError, [settingsOf([Setting.maxFrameSize, 16_383])]],
    ['MAX_FRAME_SIZE of 2^24', ErrorCode.protocolError, [settingsOf([Setting.maxFrameSize, 2 ** 24])]],
    [
      'INITIAL_WINDOW_SIZE that makes the window of an open stream too large',
      ErrorCode.flowControlError,
      [
        ...HALF,
        frameOf(Type.windowUpdate, Flag.none, 1, uint32(2 ** 30)),
        settingsOf([Setting.initialWindowSize, 2 ** 31 - 1]),
      ],
    ],
    [
      'more settings than there are',
      ErrorCode.enhanceYourCalm,
      [settingsOf(...Array.from({ length: 33 }, () => [0x99, 1] as const))],
    ],
    [
      'PUSH_PROMISE',
      ErrorCode.protocolError,
      [openingOf(1), frameOf(Type.push, Flag.endHeaders, 1, uint32(2))],
    ],
    ['PING of a stream', ErrorCode.protocolError, [frameOf(Type.ping, Flag.none, 1, Buffer.alloc(8))]],
    ['PING of seven bytes', ErrorCode.frameSizeError, [frameOf(Type.ping, Flag.none, 0, Buffer.alloc(7))]],
    ['GOAWAY of a stream', ErrorCode.protocolError, [frameOf(Type.goaway, Flag.none, 1, Buffer.alloc(8))]],
    [
      'GOAWAY of seven bytes',
      ErrorCode.frameSizeError,
      [frameOf(Type.goaway, Flag.none, 0, Buffer.alloc(7))],
    ],
    ['WINDOW_UPDATE by 0', ErrorCode.protocolError, [frameOf(Type.windowUpdate, Flag.none, 0, uint32(0))]],
    [
      'WINDOW_UPDATE of three bytes',
      ErrorCode.frameSizeError,
      [frameOf(Type.windowUpdate, Flag.none, 0, Buffer.alloc(3))],
    ],
    [
      'WINDOW_UPDATE that makes a window too large',
      ErrorCode.flowControlError,
      [frameOf(Type.windowUpdate, Flag.none, 0, uint32(2 ** 31 - 1))],
    ],
    [
      'CONTINUATION that continues nothing',
      ErrorCode.protocolError,
      [openingOf(1), frameOf(Type.continuation, Flag.endHeaders, 1)],
    ],
  ])('after %s', async (_, code, frames) => {
    const { harness, client } = await connected()
    for (const one of frames) {
      client.send(one)
      // An answer that is expected has come by then.
      if (frames.indexOf(one) < frames.length - 1 && one[3] !== Type.headers && one[3] !== Type.continuation)
        await client.roundTrip()
    }
    expect(await client.goaway()).toBe(code)
    const reason = code === ErrorCode.enhanceYourCalm ? 'flood' : 'protocol'
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason })).toBe(1)
    expect((await harness.grpc(makeRequest({ records: 1 }))).code).toBe(0)
  })

  it.each([
    ['a first frame that is not SETTINGS', frameOf(Type.ping, Flag.none, 0, Buffer.alloc(8))],
    ['a first frame that acknowledges SETTINGS', frameOf(Type.settings, Flag.ack, 0)],
  ])('after %s', async (_, first) => {
    const client = new FrameClient((await serve()).receiver.port('grpc') ?? 0)
    client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), first)
    expect(await client.goaway()).toBe(ErrorCode.protocolError)
  })

  it('after a preface that is another', async () => {
    const client = new FrameClient((await serve()).receiver.port('grpc') ?? 0)
    client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n'))
    expect(await client.goaway()).toBe(ErrorCode.protocolError)
  })
})

describe('the stream is reset, and the connection goes on', () => {
  it.each<[string, number, readonly Buffer[]]>([
    // Section 5.1: half-closed (remote).
    ['DATA after its end', ErrorCode.streamClosed, [...CALL, data(1, START)]],
    ['HEADERS after its end', ErrorCode.streamClosed, [...CALL, trailers(1, [])]],
    // Section 6.
    [
      'WINDOW_UPDATE by 0',
      ErrorCode.protocolError,
      [...HALF, frameOf(Type.windowUpdate, Flag.none, 1, uint32(0))],
    ],
    [
      'WINDOW_UPDATE that makes its window too large',
      ErrorCode.flowControlError,
      [...HALF, frameOf(Type.windowUpdate, Flag.none, 1, uint32(2 ** 31 - 1))],
    ],
    [
      'PRIORITY of four bytes',
      ErrorCode.frameSizeError,
      [...HALF, frameOf(Type.priority, Flag.none, 1, Buffer.alloc(4))],
    ],
    // Section 8.1.
    ['trailers that do not end it', ErrorCode.protocolError, [...HALF, trailers(1, [], Flag.endHeaders)]],
    [
      'trailers with a pseudo-header field',
      ErrorCode.protocolError,
      [...HALF, trailers(1, [[':path', '/']])],
    ],
    ['trailers of capital letters', ErrorCode.protocolError, [...HALF, trailers(1, [['X', 'y']])]],
    // Section 8.1.1.
    [
      'more content than was announced',
      ErrorCode.protocolError,
      [openingOf(1, { 'content-length': '4' }), data(1, START)],
    ],
    [
      'less content than was announced',
      ErrorCode.protocolError,
      [openingOf(1, { 'content-length': '6' }), data(1, START, Flag.endStream)],
    ],
    [
      'no content where some was announced',
      ErrorCode.protocolError,
      [frameOf(Type.headers, END_BOTH, 1, callBlock({ 'content-length': '6' }))],
    ],
    [
      'less content than was announced, before trailers',
      ErrorCode.protocolError,
      [openingOf(1, { 'content-length': '6' }), data(1, START), trailers(1, [])],
    ],
  ])('after %s', async (_, code, frames) => {
    const { harness, client } = await connected(true)
    client.send(...frames)
    expect(await client.reset(1)).toBe(code)
    await client.roundTrip()
    expect(client.types).not.toContain(Type.goaway)
    expect(await harness.context.value(REJECTED_CONNECTIONS)).toBe(0)
  })

  it('after DATA on one that the client has reset itself', async () => {
    const { client } = await connected(true)
    client.send(...HALF, frameOf(Type.reset, Flag.none, 1, CANCEL), data(1, START))
    expect(await client.reset(1)).toBe(ErrorCode.streamClosed)
    await client.roundTrip()
  })
})

describe('what comes for a stream that we have reset', () => {
  it.each<[string, Buffer]>([
    ['DATA', data(1, START)],
    ['DATA with padding', data(1, Buffer.from([3, 0, 0, 0, 0]), Flag.padded)],
    ['the end', data(1, Buffer.alloc(0), Flag.endStream)],
    ['trailers', trailers(1, [['a', 'b']])],
    ['RST_STREAM', frameOf(Type.reset, Flag.none, 1, CANCEL)],
    ['WINDOW_UPDATE', frameOf(Type.windowUpdate, Flag.none, 1, uint32(1))],
    ['PRIORITY', frameOf(Type.priority, Flag.none, 1, Buffer.alloc(5))],
  ])('is ignored: %s', async (_, late) => {
    const { harness, client } = await connected()
    client.send(openingOf(1, { 'content-type': 'text/plain' }))
    expect(await client.reset(1)).toBe(ErrorCode.noError)
    client.send(late, openingOf(3), data(3, message, Flag.endStream))
    await client.frame(
      ({ type, stream, flags }) => type === Type.headers && stream === 3 && flags === END_BOTH,
    )
    expect(harness.batches).toHaveLength(1)
  })
})

describe('what nobody has to understand', () => {
  it('is ignored: frames and settings of other kinds, flags, priorities and the reserved bit', async () => {
    const { harness, client } = await connected()
    const odd = openingOf(1)
    odd[4] |= 0xc2
    odd[5] |= 0x80
    client.send(
      frameOf(0xbe, 0xff, 0, Buffer.alloc(100)),
      frameOf(0xef, 0xff, 7, Buffer.alloc(16_384)),
      settingsOf([0x99, 7], [Setting.maxConcurrentStreams, 0], [Setting.maxHeaderListSize, 1]),
      frameOf(Type.priority, Flag.none, 1, Buffer.alloc(5)),
      frameOf(Type.priority, Flag.none, 9, Buffer.alloc(5)),
      odd,
      frameOf(Type.priority, Flag.none, 1, Buffer.alloc(5)),
      data(1, message, Flag.endStream),
    )
    await client.frame(({ type, flags }) => type === Type.headers && flags === END_BOTH)
    expect(harness.batches).toHaveLength(1)
  })
})
