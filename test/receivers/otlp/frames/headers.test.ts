import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { type ClientHttp2Session, sensitiveHeaders } from 'node:http2'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { HeaderBlocks } from '../../../../receivers/otlp/grpc/frames/header-blocks.ts'
import { makeRequest } from '../../../support/requests.ts'
import { blockOf, cut, Flag, FrameClient, frameOf, openingOf, Type } from '../frames.ts'
import { serveGuarded } from '../guarded.ts'
import { frame, rawCall, rawSession } from '../harness.ts'

const BODY = frame(makeRequest({ records: 1 }))
/** What every call of the client has. */
const USUAL = [':method', ':scheme', ':path', ':authority', 'content-type', 'te']

/** A server that notes the headers of its calls, and a client of it, which writes them as nghttp2 does. */
async function noting() {
  const seen: IncomingHttpHeaders[] = []
  const authenticator = {
    authenticate: (headers: IncomingHttpHeaders) => {
      seen.push(headers)
      return { subject: 'somebody' }
    },
  }
  const { port } = await serveGuarded({ authenticator })
  const session = rawSession(port('grpc'))
  return { seen, session }
}

async function send(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  secret: readonly string[] = [],
) {
  const { stream, answer } = rawCall(session, { ...headers, [sensitiveHeaders]: secret as string[] })
  stream.end(BODY)
  return (await answer)['grpc-status']
}

const name = fc.stringMatching(/^x-[a-z0-9_.-]{1,12}$/)
const value = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 200,
  })
  .map((text) => text.trim())
const headers = fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: true })

describe('headers that Node writes', () => {
  it('are read as they were meant, call after call on one connection, told to be remembered or not', async () => {
    const { seen, session } = await noting()
    const calls = fc.array(fc.tuple(headers, fc.nat(2)), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(calls, async (all) => {
        for (const [fields, times] of all) {
          const names = Object.keys(fields)
          for (let time = 0; time <= times; time++) {
            expect(await send(session, fields, names.slice(0, times))).toBe('0')
            const { ...told } = seen.at(-1)
            for (const usual of USUAL) delete told[usual]
            expect(told).toEqual(fields)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('are read once where they are the same as before', async () => {
    const { seen, session } = await noting()
    for (let i = 0; i < 4; i++) await send(session, { 'x-tenant': 'a' })
    // By the first the client's table is filled; the others are the same bytes.
    expect(new Set(seen.slice(1)).size).toBe(1)
    await send(session, { 'x-tenant': 'b' })
    expect(seen.at(-1)).toMatchObject({ 'x-tenant': 'b' })
    await send(session, { 'x-tenant': 'a' })
    expect(seen.at(-1)).toMatchObject({ 'x-tenant': 'a' })
  })

  it('mean what they mean to Node where a field comes twice', async () => {
    const { seen, session } = await noting()
    const { stream, answer } = rawCall(session, { 'x-list': ['a', 'b'], cookie: ['a=b', 'c=d'] })
    stream.end(BODY)
    await answer
    expect(seen[0]).toMatchObject({ 'x-list': 'a, b', cookie: 'a=b; c=d' })
  })

  it('may end with space, as those of an empty token do', async () => {
    const { seen, session } = await noting()
    await send(session, { authorization: 'Bearer ' })
    expect(seen[0].authorization).toBe('Bearer')
  })

  it('name nothing of what all objects have', async () => {
    const { seen, session } = await noting()
    await send(session, { constructor: 'a', tostring: 'b' })
    expect(seen[0]).toMatchObject({ constructor: 'a', tostring: 'b' })
    expect(Object.getPrototypeOf(seen[0])).toBe(null)
  })

  it('keep their connection over a call whose headers are too large', async () => {
    const { session } = await noting()
    const { answer } = rawCall(session, { 'x-large': '~'.repeat(17_000) }, { endStream: true })
    await expect(answer).rejects.toThrow('NGHTTP2_ENHANCE_YOUR_CALM')
    expect(await send(session, { 'x-after': 'y' })).toBe('0')
  })
})

describe('a header block that is remembered', () => {
  const read = (blocks: HeaderBlocks, block: Buffer): IncomingHttpHeaders =>
    blocks.finish(block, 0, block.length).headers
  /** A field that the peer is to remember, and the first of those that it was told to. */
  const told = (value: string): Buffer =>
    Buffer.concat([Buffer.from([0x40, 1, 0x61, value.length]), Buffer.from(value)])
  const FIRST = Buffer.from([0xbe])

  it('is read anew where the table has changed since', () => {
    const blocks = new HeaderBlocks(16_384)
    read(blocks, told('one'))
    expect(read(blocks, FIRST)).toEqual({ a: 'one' })
    const again = read(blocks, FIRST)
    expect(read(blocks, FIRST)).toBe(again)
    read(blocks, told('two'))
    expect(read(blocks, FIRST)).toEqual({ a: 'two' })
  })

  it('is read anew where it changed the table itself', () => {
    const blocks = new HeaderBlocks(16_384)
    read(blocks, told('one'))
    read(blocks, told('one'))
    expect(read(blocks, Buffer.from([0xbf]))).toEqual({ a: 'one' })
  })

  it('is none that only begins like another', () => {
    const blocks = new HeaderBlocks(16_384)
    const long = blockOf([
      ['a', '1'],
      ['b', '2'],
    ])
    expect(read(blocks, long)).toEqual({ a: '1', b: '2' })
    expect(read(blocks, long.subarray(0, 5))).toEqual({ a: '1' })
    expect(read(blocks, long)).toEqual({ a: '1', b: '2' })
  })
})

describe('a call in frames of any size', () => {
  it('comes whole, with padding and trailers, wherever its bytes are cut', async () => {
    const { port, batches } = await serveGuarded({})
    const client = new FrameClient(port('grpc'))
    client.socket.setNoDelay()
    client.greet()
    let stream = -1
    const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.option(fc.nat(255))), {
      minLength: 1,
    })
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (pieces, ends, places) => {
          stream += 2
          const frames = [openingOf(stream)]
          let at = 0
          for (const [size, padding] of pieces) {
            const content = BODY.subarray(at, at + size)
            at += content.length
            frames.push(dataOf(stream, content, padding))
          }
          frames.push(frameOf(Type.data, ends ? Flag.endStream : Flag.none, stream, BODY.subarray(at)))
          if (!ends)
            frames.push(
              frameOf(Type.headers, Flag.endStream | Flag.endHeaders, stream, blockOf([['a', 'b']])),
            )
          const before = batches.length
          for (const piece of cut(Buffer.concat(frames), places)) {
            client.send(piece)
            await setImmediate()
          }
          await vi.waitUntil(() => batches.length > before, { interval: 1 })
          expect(batches.at(-1)?.data.bytes.equals(BODY.subarray(5))).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })

  /** Padded, where there is a number. */
  function dataOf(stream: number, content: Buffer, padding: number | null): Buffer {
    if (padding === null) return frameOf(Type.data, Flag.none, stream, content)
    const payload = Buffer.concat([Buffer.from([padding]), content, Buffer.alloc(padding)])
    return frameOf(Type.data, Flag.padded, stream, payload)
  }
})

describe('a call of Node', () => {
  it('comes whole, however its client is cut off and paused', async () => {
    const { port, batches } = await serveGuarded({})
    const session = rawSession(port('grpc'))
    await once(session, 'connect')
    const requests = fc.integer({ min: 1, max: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(requests, { minLength: 1, maxLength: 8 }),
        fc.nat(20_000),
        async (sizes, at) => {
          const bodies = sizes.map((records) => makeRequest({ records }))
          const before = batches.length
          const answers = bodies.map((body) => {
            const { stream, answer } = rawCall(session)
            const message = frame(body)
            stream.write(message.subarray(0, at))
            stream.end(message.subarray(at))
            return answer
          })
          for (const answer of answers) expect((await answer)['grpc-status']).toBe('0')
          await vi.waitUntil(() => batches.length === before + sizes.length)
          const came = batches.slice(before).map(({ size }) => size)
          const inOrder = (counts: number[]): number[] => counts.toSorted((a, b) => a - b)
          expect(inOrder(came)).toEqual(inOrder(sizes))
        },
      ),
      { numRuns: 50 },
    )
  })
})
