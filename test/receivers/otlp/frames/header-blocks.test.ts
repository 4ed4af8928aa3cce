import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../receivers/otlp/grpc/frames/protocol.ts'
import { blockOf, callBlock, Flag, frameOf, openingOf, Type, uint32 } from '../frames.ts'
import { connected, data, END_BOTH, message, REJECTED } from './connected.ts'

describe('a header block', () => {
  it('may come in pieces of any size, with padding and a priority', async () => {
    const { harness, client } = await connected()
    const block = callBlock()
    const pieces = [block.subarray(0, 1), block.subarray(1, 1), block.subarray(1, 40), block.subarray(40)]
    const first = Buffer.concat([Buffer.from([7]), uint32(0), Buffer.from([200]), pieces[0], Buffer.alloc(7)])
    client.send(
      frameOf(Type.headers, Flag.padded | Flag.priority, 1, first),
      frameOf(Type.continuation, Flag.none, 1, pieces[1]),
      frameOf(Type.continuation, Flag.none, 1, pieces[2]),
      frameOf(Type.continuation, Flag.endHeaders, 1, pieces[3]),
      data(1, message, Flag.endStream),
    )
    await client.frame(({ type, flags }) => type === Type.headers && flags === END_BOTH)
    expect(harness.batches).toHaveLength(1)
  })

  it.each<[string, readonly (readonly [string, string])[]]>([
    [
      'no :method',
      [
        [':scheme', 'http'],
        [':path', '/'],
      ],
    ],
    [
      'no :scheme',
      [
        [':method', 'POST'],
        [':path', '/'],
      ],
    ],
    [
      'no :path',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
      ],
    ],
    [
      'an empty :path',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', ''],
      ],
    ],
    [
      'a :path without a slash',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', 'a'],
      ],
    ],
    [
      '* as the :path of POST',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '*'],
      ],
    ],
    [
      'two of :path',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':path', '/'],
      ],
    ],
    [
      'a pseudo-header field of answers',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':status', '200'],
      ],
    ],
    [
      'a pseudo-header field nobody knows',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':protocol', 'x'],
      ],
    ],
    [
      'a pseudo-header field after others',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        ['a', 'b'],
        [':path', '/'],
      ],
    ],
    [
      'CONNECT with a :path',
      [
        [':method', 'CONNECT'],
        [':authority', 'a'],
        [':path', '/'],
      ],
    ],
  ])('that is no request is refused and counted: %s', async (_, fields) => {
    const { harness, client } = await connected()
    client.send(frameOf(Type.headers, END_BOTH, 1, blockOf(fields)))
    expect(await client.reset(1)).toBe(ErrorCode.protocolError)
    expect(await harness.context.value(REJECTED, { reason: 'malformed' })).toBe(1)
  })

  it.each([
    ['capital letters in a name', 'X-A', 'b'],
    ['space in a name', 'x a', 'b'],
    ['a colon in a name', 'x:a', 'b'],
    ['a name of no characters', '', 'b'],
    ['a line feed in a value', 'x', 'a\nb'],
    ['a zero in a value', 'x', 'a\0b'],
    ['connection', 'connection', 'close'],
    ['keep-alive', 'keep-alive', '1'],
    ['proxy-connection', 'proxy-connection', 'close'],
    ['transfer-encoding', 'transfer-encoding', 'chunked'],
    ['upgrade', 'upgrade', 'h2c'],
    ['te other than trailers', 'te', 'gzip'],
    ['content-length that is no number', 'content-length', '+1'],
  ])('may not hold %s', async (_, name, value) => {
    const { harness, client } = await connected()
    client.send(openingOf(1, { [name]: value }))
    expect(await client.reset(1)).toBe(ErrorCode.protocolError)
    expect(await harness.context.value(REJECTED, { reason: 'malformed' })).toBe(1)
  })

  it('that is larger than 16 KiB is refused and counted, and the next one is read', async () => {
    const { harness, client } = await connected()
    const many = Array.from({ length: 150 }, (_, i) => [`x-${i}`, 'v'.repeat(100)] as const)
    const block = Buffer.concat([callBlock(), blockOf(many)])
    client.send(
      frameOf(Type.headers, Flag.none, 1, block.subarray(0, 16_384)),
      frameOf(Type.continuation, Flag.endHeaders, 1, block.subarray(16_384)),
    )
    expect(await client.reset(1)).toBe(ErrorCode.enhanceYourCalm)
    expect(await harness.context.value(REJECTED, { reason: 'headers_too_large' })).toBe(1)
    client.send(openingOf(3), data(3, message, Flag.endStream))
    await client.frame(
      ({ type, stream, flags }) => type === Type.headers && stream === 3 && flags === END_BOTH,
    )
  })

  it('refers to a long field again and again for no more than that', async () => {
    const { harness, client } = await connected()
    const long = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 0x79)])
    const bomb = Buffer.concat([callBlock(), long, Buffer.alloc(12_000, 0xbe)])
    const before = process.memoryUsage().heapUsed
    for (let stream = 1; stream < 100; stream += 2) client.send(frameOf(Type.headers, END_BOTH, stream, bomb))
    await client.roundTrip()
    expect(await harness.context.value(REJECTED, { reason: 'headers_too_large' })).toBe(50)
    expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(32)
  })
})
