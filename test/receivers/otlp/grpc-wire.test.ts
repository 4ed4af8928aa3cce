import { once } from 'node:events'
import { type ClientHttp2Stream, constants } from 'node:http2'
import { setImmediate } from 'node:timers/promises'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { makeRequest } from '../../support/requests.ts'
import { CANCEL, Flag, FrameClient, frameOf, openingOf, Type } from './frames.ts'
import {
  frame,
  gate,
  IMPLEMENTATIONS,
  OURS,
  rawCall,
  rawGrpc,
  rawSession,
  roundTrip,
  serveBy,
} from './harness.ts'

const MIB = 1024 * 1024
const REJECTED = 'sluice_receiver_rejected_requests_total'
const small = makeRequest({ records: 2 })

/** Sends each piece in a DATA frame of its own. */
async function sendPieces(stream: ClientHttp2Stream, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    stream.write(piece)
    await setImmediate()
  }
  stream.end()
}

function* eachByte(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1)
}

describe.each(IMPLEMENTATIONS)('a message to %s', (implementation) => {
  const start = serveBy(implementation)
  const grpcOnly = (settings: object = {}) => ({ grpc: { endpoint: '127.0.0.1:0', ...settings } })

  it('may come byte by byte', async () => {
    const { receiver, batches } = await start()
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0)
    await sendPieces(stream, eachByte(frame(small)))
    expect((await answer)['grpc-status']).toBe('0')
    expect(batches[0].data.bytes).toEqual(small)
  })

  it('may come with its prefix alone, and with an end alone', async () => {
    const { receiver, batches } = await start()
    const large = makeRequest({ records: 100, body: () => 'x'.repeat(10_000) })
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0)
    await sendPieces(stream, [frame(large).subarray(0, 5), large])
    expect((await answer)['grpc-status']).toBe('0')
    expect(batches[0].size).toBe(100)
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['identity', (bytes: Buffer) => bytes],
  ] as const)('may be compressed: %s', async (encoding, compress) => {
    const { receiver, batches } = await start()
    const body = frame(compress(small), encoding === 'identity' ? 0 : 1)
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, body, { 'grpc-encoding': encoding })
    expect(answer['grpc-status']).toBe('0')
    expect(batches[0].data.bytes).toEqual(small)
  })

  it('need not be compressed where the call has an encoding', async () => {
    const { receiver, batches } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small), { 'grpc-encoding': 'gzip' })
    expect([answer['grpc-status'], batches[0].size]).toEqual(['0', 2])
  })

  it('is taken without the header te, and with parameters of the content type', async () => {
    const { receiver } = await start()
    const port = receiver.port('grpc') ?? 0
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;x=y']) {
      const session = rawSession(port)
      const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': type })
      stream.end(frame(small))
      stream.resume()
      const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>]
      expect(trailers['grpc-status']).toBe('0')
    }
  })

  it.each([
    ['no message', Buffer.alloc(0), {}, '12', 'malformed'],
    ['a piece of a prefix', Buffer.alloc(3), {}, '12', 'malformed'],
    ['a piece of a message', frame(small).subarray(0, -1), {}, '12', 'malformed'],
    ['two messages', Buffer.concat([frame(small), frame(small)]), {}, '12', 'malformed'],
    ['bad gzip', frame(Buffer.from('no'), 1), { 'grpc-encoding': 'gzip' }, '13', 'malformed'],
    ['snappy', frame(small, 1), { 'grpc-encoding': 'snappy' }, '12', 'content_encoding'],
    ['two encodings', frame(gzipSync(small), 1), { 'grpc-encoding': 'gzip, gzip' }, '12', 'content_encoding'],
    ['too large a message', frame(Buffer.alloc(0), 0, 20 * MIB + 1), {}, '8', 'too_large'],
  ] as const)('is refused and counted once: %s', async (_, body, headers, status, reason) => {
    const { receiver, batches, context } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, body, headers)
    expect([answer[':status'], answer['grpc-status']]).toEqual([200, status])
    await expect.poll(() => context.value(REJECTED, { transport: 'grpc', reason })).toBe(1)
    expect(await context.value('otelcol_receiver_requests')).toBe(1)
    expect(batches).toEqual([])
  })

  it.each(['text/plain', 'application/json', ''])('is HTTP 415 as %j', async (type) => {
    const { receiver, batches } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small), { 'content-type': type })
    expect(answer[':status']).toBe(415)
    expect(batches).toEqual([])
  })

  it('is UNIMPLEMENTED on another path', async () => {
    const { receiver } = await start()
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small), { ':path': path })
    expect([answer[':status'], answer['grpc-status']]).toEqual([200, '12'])
    expect(answer['grpc-message']).toContain(path)
  })

  it('is not paid for by its announced length', async () => {
    const { receiver, grpc } = await start()
    const session = rawSession(receiver.port('grpc') ?? 0)
    const before = process.memoryUsage().arrayBuffers
    const calls = Array.from({ length: 100 }, () => rawCall(session))
    for (const { stream } of calls) stream.write(frame(Buffer.alloc(1000), 0, 20 * MIB))
    // Answered after all of them have been read.
    expect((await grpc(small)).code).toBe(0)
    await roundTrip(session)
    expect((process.memoryUsage().arrayBuffers - before) / MIB).toBeLessThan(16)
  })

  it('may be as large as the limit, several at once where there is memory for them', async () => {
    const { receiver } = await start(undefined, undefined, { max_in_flight_bytes: '128MiB' })
    const large = frame(makeRequest({ records: 1, body: () => 'x'.repeat(20 * MIB - 1000) }))
    // Also the client's memory for what is to be sent is limited.
    const session = rawSession(receiver.port('grpc') ?? 0, { maxSessionMemory: 1000 })
    const calls = Array.from({ length: 3 }, () => rawCall(session))
    for (const { stream } of calls) stream.end(large)
    const answers = await Promise.all(calls.map(({ answer }) => answer))
    expect(answers.map((answer) => answer['grpc-status'])).toEqual(Array<string>(3).fill('0'))
  })

  it('may follow many on the same connection that were refused in the middle', async () => {
    const { receiver } = await start(undefined, grpcOnly({ max_recv_msg_size_mib: 1 }))
    const session = rawSession(receiver.port('grpc') ?? 0)
    for (let i = 0; i < 8; i++) {
      const { stream, answer } = rawCall(session)
      stream.end(frame(Buffer.alloc(2 * MIB)))
      expect((await answer)['grpc-status']).toBe('8')
    }
    const { stream, answer } = rawCall(session)
    stream.end(frame(small))
    expect((await answer)['grpc-status']).toBe('0')
  })

  it.each([
    ['the call is reset', ({ socket }: FrameClient) => socket.write(frameOf(Type.reset, 0, 1, CANCEL))],
    ['the connection breaks', ({ socket }: FrameClient) => socket.resetAndDestroy()],
    ['the connection ends', ({ socket }: FrameClient) => socket.end()],
  ])('is not pushed, and counted once, where %s before its end', async (_, leave) => {
    const { receiver, context, batches } = await start()
    const client = new FrameClient(receiver.port('grpc') ?? 0)
    client.greet()
    client.send(openingOf(1), frameOf(Type.data, Flag.none, 1, frame(small).subarray(0, -1)))
    client.send(frameOf(Type.ping, Flag.none, 0, Buffer.alloc(8)))
    await expect.poll(() => client.types).toContain(Type.ping)
    leave(client)
    // The library may find the message incomplete before it notices that its client has gone.
    const reason: Record<string, string> = implementation !== 'grpc-js' ? { reason: 'disconnected' } : {}
    await expect.poll(() => context.value(REJECTED, reason)).toBe(1)
    expect(await context.value('otelcol_receiver_requests')).toBe(1)
    expect(batches).toEqual([])
  })

  it('stays pushed where its client goes away meanwhile', async () => {
    const pushed = gate()
    const finish = gate()
    const { receiver, context } = await start(async () => {
      pushed.open()
      await finish.opened
    })
    const { session, stream } = rawCall(receiver.port('grpc') ?? 0)
    stream.end(frame(small))
    await pushed.opened
    session.destroy()
    finish.open()
    await expect.poll(() => context.value('otelcol_receiver_accepted_log_records')).toBe(2)
    expect(await context.value('otelcol_receiver_requests')).toBe(1)
  })

  it('stays pushed where the deadline passes meanwhile, and its client is told', async () => {
    const finish = gate()
    const { receiver, context } = await start(() => finish.opened)
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0, { 'grpc-timeout': '50m' })
    stream.end(frame(small))
    expect((await answer)['grpc-status']).toBe('4')
    expect(await context.value('otelcol_receiver_requests')).toBe(0)
    finish.open()
    await expect.poll(() => context.value('otelcol_receiver_accepted_log_records')).toBe(2)
    expect(await context.value(REJECTED)).toBe(0)
  })

  it('may pass its deadline when it has been answered, and its client does not read that', async () => {
    const finish = gate()
    let pushes = 0
    const { receiver } = await start(async () => {
      if (pushes++ > 0) await finish.opened
    })
    const port = receiver.port('grpc') ?? 0
    // No room for the answer's message: the stream stays open.
    const deaf = rawCall(rawSession(port, { settings: { initialWindowSize: 0 } }), { 'grpc-timeout': '50m' })
    deaf.answer.catch(() => {})
    const answered = once(deaf.stream, 'response')
    deaf.stream.end(frame(small))
    await answered

    // Whose deadline is later is told that it has passed.
    const { stream, answer } = rawCall(port, { 'grpc-timeout': '50m' })
    stream.end(frame(small))
    expect((await answer)['grpc-status']).toBe('4')
    finish.open()
  })

  it('is given up where the deadline passes before it has come', async () => {
    const { receiver, context } = await start()
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0, { 'grpc-timeout': '50000u' })
    stream.write(frame(small).subarray(0, 9))
    expect((await answer)['grpc-status']).toBe('4')
    await expect.poll(() => context.value(REJECTED, { reason: 'timeout' })).toBe(1)
  })

  it('is not kept from coming by a client that opens and resets calls without end', async () => {
    const { receiver, grpc, context, batches } = await start()
    const client = new FrameClient(receiver.port('grpc') ?? 0)
    client.greet()
    for (let id = 1; id < 20_000; id += 2) {
      const data = frameOf(Type.data, Flag.none, id, frame(small).subarray(0, 9))
      client.send(openingOf(id), data, frameOf(Type.reset, Flag.none, id, CANCEL))
    }
    await client.closed
    expect((await grpc(small)).code).toBe(0)
    expect(batches).toHaveLength(1)
    // Those that were looked at before the connection was given up.
    const failed = await context.value('otelcol_receiver_requests', { outcome: 'failure' })
    expect(failed).toBeLessThan(10_000)
    expect(await context.value(REJECTED)).toBe(failed)
  })

  it.each([
    ['large', { 'x-large': '~'.repeat(100_000) }, /^Session closed with error code (9|11)$/],
    [
      'many',
      Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`x-${i}`, 'x'])),
      'NGHTTP2_ENHANCE_YOUR_CALM',
    ],
  ])('is not kept from coming by headers that are too %s', async (_, headers, error) => {
    const { receiver, grpc, batches } = await start()
    const session = rawSession(receiver.port('grpc') ?? 0, { maxSendHeaderBlockLength: MIB })
    const { stream, answer } = rawCall(session, headers)
    stream.end(frame(small))
    await expect(answer).rejects.toThrow(error)
    expect((await grpc(small)).code).toBe(0)
    expect(batches).toHaveLength(1)
  })
})

describe.each(OURS)('a message to %s, which is ours', (implementation) => {
  const start = serveBy(implementation)

  it('may be compressed with zstd', async () => {
    const { receiver, batches } = await start()
    const body = frame(zstdCompressSync(small), 1)
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, body, { 'grpc-encoding': 'zstd' })
    expect([answer['grpc-status'], batches[0].size]).toEqual(['0', 2])
  })

  it.each([
    ['without an encoding', frame(gzipSync(small), 1), {}, 'but grpc-encoding does not say how'],
    ['with identity', frame(gzipSync(small), 1), { 'grpc-encoding': 'identity' }, 'does not say how'],
    ['otherwise than yes or no', frame(small, 2), {}, 'the message begins with 2, not 0 or 1'],
  ])('is INTERNAL where it is compressed %s', async (_, body, headers, message) => {
    const { receiver, context } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, body, headers)
    expect([answer['grpc-status'], answer['grpc-message']]).toEqual(['13', expect.stringContaining(message)])
    expect(await context.value(REJECTED, { reason: 'malformed' })).toBe(1)
  })

  it('is refused with the encodings that there are, and a message in signs that headers may hold', async () => {
    const { receiver } = await start()
    const port = receiver.port('grpc') ?? 0
    const encoding = await rawGrpc(port, frame(small, 1), { 'grpc-encoding': 'br' })
    expect(encoding['grpc-accept-encoding']).toBe('identity,gzip,deflate,zstd')

    const other = await rawGrpc(port, frame(small), { ':path': '/100%' })
    const message = String(other['grpc-message'])
    expect(message).toMatch(/^there is no \/100%25; logs go to /)
  })

  it.each([
    ['another content type', { 'content-type': 'application/grpc+json' }, 415, '3', 'content_type'],
    ['the content type of gRPC-Web', { 'content-type': 'application/grpc-web' }, 415, '3', 'content_type'],
    ['another method', { ':method': 'PUT' }, 405, '12', 'method'],
    ['another path', { ':path': '/' }, 200, '12', 'not_found'],
  ] as const)('is counted once with %s', async (_, headers, http, status, reason) => {
    const { receiver, context } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small), headers)
    expect([answer[':status'], answer['grpc-status']]).toEqual([http, status])
    expect(await context.value(REJECTED, { transport: 'grpc', reason })).toBe(1)
    expect(await context.value('otelcol_receiver_requests')).toBe(1)
  })

  it.each(['GET', 'HEAD'])('does not come with %s', async (method) => {
    const { receiver } = await start()
    const { answer } = rawCall(receiver.port('grpc') ?? 0, { ':method': method }, { endStream: true })
    expect((await answer)[':status']).toBe(405)
  })

  it('is given up where it takes longer than read_timeout, however slowly it comes', async () => {
    const { receiver, context } = await start(undefined, {
      grpc: { endpoint: '127.0.0.1:0', read_timeout: '200ms' },
    })
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0)
    stream.write(frame(small).subarray(0, 9))
    const drip = setInterval(() => stream.write(Buffer.alloc(1)), 20)
    const { 'grpc-status': status, 'grpc-message': message } = await answer
    clearInterval(drip)
    expect([status, message]).toEqual(['4', 'the message has not come within 200 ms (read_timeout)'])
    expect(await context.value(REJECTED, { reason: 'timeout' })).toBe(1)
  })

  it('is not pushed where the call is reset after it has come, but before its end', async () => {
    const { receiver, context, batches } = await start()
    const client = new FrameClient(receiver.port('grpc') ?? 0)
    client.greet()
    client.send(openingOf(1), frameOf(Type.data, Flag.none, 1, frame(small)))
    client.send(frameOf(Type.reset, Flag.none, 1, CANCEL))
    await expect.poll(() => context.value(REJECTED, { reason: 'disconnected' })).toBe(1)
    expect(batches).toEqual([])
  })

  it('has headers of no more than 16 KiB', async () => {
    const { receiver } = await start()
    const session = rawSession(receiver.port('grpc') ?? 0)
    await roundTrip(session)
    expect(session.remoteSettings.maxHeaderListSize).toBe(16 * 1024)
    const { answer } = rawCall(session, { 'x-large': '~'.repeat(17_000) }, { endStream: true })
    await expect(answer).rejects.toThrow('NGHTTP2_ENHANCE_YOUR_CALM')
  })

  it('is not read on once it has been refused', async () => {
    const { receiver } = await start()
    const { stream, answer } = rawCall(receiver.port('grpc') ?? 0)
    stream.write(frame(Buffer.alloc(0), 0, 20 * MIB + 1))
    expect((await answer)['grpc-status']).toBe('8')
    // Its client never said that it is done.
    await expect.poll(() => stream.destroyed).toBe(true)
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
  })

  it('is taken with a grpc-timeout that is none', async () => {
    const { receiver } = await start()
    const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(small), { 'grpc-timeout': '-1S' })
    expect(answer['grpc-status']).toBe('0')
  })
})
