import { once } from 'node:events'
import { connect } from 'node:net'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PermanentError, type Push, RetryableError } from '../../../src/component.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  fieldsOf,
  frame,
  gate,
  type Harness,
  IMPLEMENTATIONS,
  OURS,
  PROTOBUF,
  rawCall,
  rawGrpc,
  retryDelayOf,
  serve,
  serveBy,
  statusOf,
} from './harness.ts'

const MIB = 1024 * 1024
const REJECTED = 'sluice_receiver_rejected_requests_total'
const REJECTED_CONNECTIONS = 'sluice_receiver_rejected_connections_total'
const IN_FLIGHT = 'sluice_receiver_in_flight_bytes'
const OPEN = 'sluice_receiver_connections'
const small = makeRequest({ records: 2 })
const withText = (size: number): Buffer => makeRequest({ records: 1, body: () => 'x'.repeat(size) })
const portOf = ({ receiver }: Harness, protocol: 'grpc' | 'http'): number => receiver.port(protocol) ?? 0

/** A server in which one request, taken over HTTP, waits to be buffered. */
async function withOneInFlight(start: typeof serve, request: Buffer, limits: object) {
  const buffered = gate()
  const pushed = gate()
  const harness = await start(
    async () => {
      pushed.open()
      await buffered.opened
    },
    undefined,
    limits,
  )
  const first = harness.post(request)
  await pushed.opened
  return { harness, buffered, first }
}

/** An HTTP request over a bare socket, and what comes back until it is closed. */
async function rawHttp(port: number, ...pieces: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  for (const piece of pieces) socket.write(piece)
  await once(socket, 'close')
  return received
}

const headOf = (more: string): string =>
  `POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\n${more}\r\n\r\n`

describe.each(IMPLEMENTATIONS)('memory in flight, with gRPC by %s', (implementation) => {
  const start = serveBy(implementation)

  it('is for both protocols together: who comes when it is taken is told when to try again', async () => {
    const { harness, buffered, first } = await withOneInFlight(start, withText(800_000), {
      max_in_flight_bytes: '2MiB',
    })
    const { grpc, post, context } = harness
    const [byGrpc, byHttp] = [await grpc(withText(500_000)), await post(withText(500_000))]

    expect([byGrpc.code, byGrpc.message]).toEqual([14, expect.stringContaining('limits.max_in_flight_bytes')])
    const delay = retryDelayOf(statusOf(byGrpc.details as Buffer).details.get('RetryInfo') as Buffer)
    expect(delay).toBeGreaterThanOrEqual(500)
    expect(delay).toBeLessThanOrEqual(1500)
    expect(byHttp.status).toBe(503)
    expect(byHttp.headers.get('retry-after')).toMatch(/^[12]$/)
    expect(await context.value(REJECTED, { reason: 'memory' })).toBe(2)
    // There is room for small ones beside it.
    const neighbour = grpc(small)
    await expect.poll(() => harness.batches).toHaveLength(2)

    buffered.open()
    expect([(await first).status, (await neighbour).code]).toEqual([200, 0])
    expect(await context.value(IN_FLIGHT)).toBe(0)
    expect((await grpc(withText(500_000))).code).toBe(0)
  })

  it('counts the table of a request with very many records', async () => {
    const { harness, buffered, first } = await withOneInFlight(start, small, { max_in_flight_bytes: '1MiB' })
    const records = makeRequest({ records: 15_000, body: () => '' })
    expect(records.length).toBeLessThan(MIB)
    expect((await harness.grpc(records)).code).toBe(14)
    buffered.open()
    await first
  })

  it('is all there for a request that is alone, whatever its size', async () => {
    const { grpc, post } = await start(undefined, undefined, { max_in_flight_bytes: '64KiB' })
    expect((await grpc(withText(2 * MIB))).code).toBe(0)
    expect((await post(gzipSync(withText(2 * MIB)), { 'content-encoding': 'gzip' })).status).toBe(200)
  })

  it.each<[string, Push]>([
    ['taken', async () => {}],
    ['refused', async () => Promise.reject(new RetryableError('full'))],
    ['failed', async () => Promise.reject(new Error('a bug'))],
    ['rejected', async () => Promise.reject(new PermanentError('no'))],
  ])('is given back by a request that is %s', async (_, push) => {
    const { grpc, post, context } = await start(push)
    await Promise.all([grpc(small), post(small), post('{}', { 'content-type': 'application/json' })])
    expect(await context.value(IN_FLIGHT)).toBe(0)
    expect(await context.value('sluice_receiver_in_flight_limit_bytes')).toBe(48 * MIB)
  })

  it('is given back by requests that are malformed, too large, or cut off', async () => {
    const harness = await start(undefined, {
      grpc: { endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 1 },
      http: { endpoint: '127.0.0.1:0', max_request_body_size: '1MiB' },
    })
    const { grpc, post, context } = harness
    await Promise.all([
      grpc(Buffer.from([1])),
      post(Buffer.from([1])),
      grpc(withText(MIB)),
      post(withText(MIB)),
    ])
    await post(gzipSync(withText(2 * MIB)), { 'content-encoding': 'gzip' })
    await post(Buffer.from('no'), { 'content-encoding': 'zstd' })
    const { session, stream } = rawCall(portOf(harness, 'grpc'))
    stream.write(frame(small).subarray(0, 40))
    await new Promise((resolve) => session.ping(resolve))
    session.destroy()
    const socket = connect(portOf(harness, 'http'), '127.0.0.1')
    socket.write(`${headOf('Content-Length: 100000')}abc`)
    await expect.poll(() => context.value(IN_FLIGHT)).toBeGreaterThan(0)
    socket.destroy()
    await expect.poll(() => context.value(IN_FLIGHT)).toBe(0)
  })
})

describe.each(OURS)('memory in flight of what is ours, with gRPC by %s', (implementation) => {
  const start = serveBy(implementation)

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const)('is there for what %s becomes, or the request is refused', async (encoding, compress) => {
    const { harness, buffered, first } = await withOneInFlight(start, withText(500_000), {
      max_in_flight_bytes: '2MiB',
    })
    const { post, batches } = harness
    const headers = { 'content-encoding': encoding }
    expect((await post(compress(withText(1_200_000)), headers)).status).toBe(503)
    const neighbour = post(compress(withText(100_000)), headers)
    await expect.poll(() => batches).toHaveLength(2)
    buffered.open()
    expect([(await first).status, (await neighbour).status]).toEqual([200, 200])
  })

  it('is not taken by what is only announced', async () => {
    const harness = await start(undefined, undefined, { max_in_flight_bytes: '2MiB' })
    const calls = Array.from({ length: 10 }, () => rawCall(portOf(harness, 'grpc')))
    for (const { stream } of calls) stream.write(frame(Buffer.alloc(10), 0, 20 * MIB))
    await Promise.all(calls.map(({ session }) => new Promise((resolve) => session.ping(resolve))))
    expect(await harness.context.value(IN_FLIGHT)).toBeLessThan(MIB)
    expect((await harness.grpc(withText(500_000))).code).toBe(0)
    expect((await harness.post(withText(500_000))).status).toBe(200)
  })

  it('is enough for the largest request that may be allowed, compressed or not', async () => {
    const harness = await start(undefined, {
      grpc: { endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 64 },
      http: { endpoint: '127.0.0.1:0', max_request_body_size: '64MiB' },
    })
    const noise = crypto.randomUUID().repeat(1000)
    const large = makeRequest({ records: 1700, body: () => noise })
    expect(large.length).toBeGreaterThan(58 * MIB)
    expect(large.length).toBeLessThan(64 * MIB)
    expect((await harness.grpc(large)).code).toBe(0)
    expect((await harness.post(large)).status).toBe(200)
  })
})

describe.each(OURS)('a compression ratio, with gRPC by %s', (implementation) => {
  const start = serveBy(implementation)

  const REASON = { reason: 'compression_ratio' }

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const)('over the limit is refused for good and counted: %s', async (encoding, compress) => {
    const harness = await start()
    const { post, context } = harness
    const bomb = compress(withText(8 * MIB))
    const byHttp = await post(bomb, { 'content-encoding': encoding })
    expect([byHttp.status, byHttp.headers.get('retry-after')]).toEqual([413, null])
    expect(statusOf(byHttp.body).message).toBe(
      `the ${encoding} becomes more than 200 times its size (limits.max_compression_ratio)`,
    )
    const byGrpc = await rawGrpc(portOf(harness, 'grpc'), frame(bomb, 1), { 'grpc-encoding': encoding })
    expect(byGrpc['grpc-status']).toBe('8')
    expect(await context.value(REJECTED, REASON)).toBe(2)
  })

  it('does not matter where little comes out, and may be set', async () => {
    expect(
      (await (await start()).post(gzipSync(withText(3 * MIB)), { 'content-encoding': 'gzip' })).status,
    ).toBe(200)
    const { post } = await start(undefined, undefined, { max_compression_ratio: 2000 })
    expect((await post(gzipSync(withText(8 * MIB)), { 'content-encoding': 'gzip' })).status).toBe(200)
  })
})

describe.each(OURS)('a body that comes too slowly, with gRPC by %s', (implementation) => {
  const start = serveBy(implementation)

  const LIMITS = { min_body_rate: 1000, min_body_rate_grace: '300ms' }

  it('is given up over gRPC, and its neighbours on the connection are not', async () => {
    const harness = await start(undefined, undefined, LIMITS)
    const { session, stream, answer } = rawCall(portOf(harness, 'grpc'))
    stream.write(frame(small).subarray(0, 8))
    const neighbour = rawCall(session)
    neighbour.stream.end(frame(small))
    expect((await neighbour.answer)['grpc-status']).toBe('0')
    const { 'grpc-status': status, 'grpc-message': message } = await answer
    expect([status, message]).toEqual([
      '4',
      'the request comes at less than 1000 bytes a second (limits.min_body_rate)',
    ])
    expect(await harness.context.value(REJECTED, { reason: 'slow' })).toBe(1)
  })

  it.each([
    ['of a known length', 'Content-Length: 1000', 'abc'],
    ['in chunks', 'Transfer-Encoding: chunked', '3\r\nabc\r\n'],
  ])('is answered 408 over HTTP, and the connection closed: %s', async (_, header, body) => {
    const harness = await start(undefined, undefined, LIMITS)
    const answer = rawHttp(portOf(harness, 'http'), headOf(header), body)
    expect((await harness.post(small)).status).toBe(200)
    expect(await answer).toMatch(/^HTTP\/1.1 408 /)
    expect(await harness.context.value(REJECTED, { reason: 'slow' })).toBe(1)
  })

  it('may take its time where min_body_rate is 0', async () => {
    const harness = await start(undefined, undefined, {
      ...LIMITS,
      min_body_rate: 0,
      min_body_rate_grace: '0s',
    })
    const { stream, answer } = rawCall(portOf(harness, 'grpc'))
    const message = frame(small)
    stream.write(message.subarray(0, 8))
    const quick = await start(undefined, undefined, LIMITS)
    const slow = rawCall(portOf(quick, 'grpc'))
    slow.stream.write(message.subarray(0, 8))
    await slow.answer
    stream.end(message.subarray(8))
    expect((await answer)['grpc-status']).toBe('0')
  })
})

describe.each(IMPLEMENTATIONS)('connections, with gRPC by %s', (implementation) => {
  it('beyond the limit are closed as they come and counted, while those that are there go on', async () => {
    const harness = await serveBy(implementation)(undefined, undefined, { max_connections: 2 })
    const { context } = harness
    for (const protocol of ['grpc', 'http'] as const) {
      const port = portOf(harness, protocol)
      const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      await expect.poll(() => context.value(OPEN, { transport: protocol })).toBe(2)

      const third = connect(port, '127.0.0.1')
      third.on('error', () => {})
      await once(third.resume(), 'close')
      const labels = { transport: protocol, reason: 'connections' }
      expect(await context.value(REJECTED_CONNECTIONS, labels)).toBe(1)
      expect(sockets.some(({ destroyed }) => destroyed)).toBe(false)

      for (const socket of sockets) socket.destroy()
      await expect.poll(() => context.value(OPEN, { transport: protocol })).toBe(0)
    }
    expect((await harness.grpc(small)).code).toBe(0)
    expect((await harness.post(small)).status).toBe(200)
  })
})

describe('what a request may hold', () => {
  it('is a number of records: more are refused for good', async () => {
    const { grpc, post, context } = await serve(undefined, undefined, { max_records_per_request: 2 })
    const three = makeRequest({ records: 3 })
    expect(await grpc(three)).toMatchObject({
      code: 3,
      message: 'the request has 3 records, more than 2 (limits.max_records_per_request)',
    })
    expect((await post(three)).status).toBe(400)
    expect((await grpc(small)).code).toBe(0)
    expect(await context.value(REJECTED, { reason: 'records' })).toBe(2)
    expect(await context.value('otelcol_receiver_failed_log_records')).toBe(6)
  })

  it('is cut, counted, and taken, where texts are too long', async () => {
    const { grpc, context, batches } = await serve(undefined, undefined, { max_body_length: 10 })
    const answer = await grpc(withText(100))
    expect([answer.code, answer.body.length]).toEqual([0, 0])
    expect(batches[0].size).toBe(1)
    const [{ bytes }] = (batches[0].identify(Buffer.alloc(32)), batches[0].encode(MIB))
    expect(bytes.includes('x'.repeat(10))).toBe(true)
    expect(bytes.includes('x'.repeat(11))).toBe(false)
    expect(await context.value('sluice_receiver_truncated_total', { limit: 'max_body_length' })).toBe(1)
  })

  it('is refused record by record, with the reason, where it is not to be cut', async () => {
    const limits = { max_body_length: 10, when_exceeded: 'refuse' }
    const { grpc, post, context, batches } = await serve(undefined, undefined, limits)
    const mixed = makeRequest({ records: 3, body: (record) => (record === 1 ? 'x'.repeat(11) : 'short') })

    const partial = fieldsOf(fieldsOf((await grpc(mixed)).body).get(1)?.[0] as Buffer)

    const message = '1 log records are over 10 bytes (limits.max_body_length)'
    expect([partial.get(1), String(partial.get(2)?.[0])]).toEqual([[1], message])
    expect(batches.map(({ size }) => size)).toEqual([2])
    const whole = await post(withText(11))
    expect([whole.status, statusOf(whole.body).message]).toEqual([400, message])
    expect(batches).toHaveLength(1)
    expect(await context.value('otelcol_receiver_accepted_log_records')).toBe(2)
    expect(await context.value('otelcol_receiver_failed_log_records')).toBe(2)
    const over = 'sluice_receiver_over_limit_log_records_total'
    expect(await context.value(over, { limit: 'max_body_length' })).toBe(2)
  })

  it('is told together with what the destination refused', async () => {
    const push: Push = async () => {
      throw new PermanentError('the destination refused some', {
        rejected: [{ records: [0], reason: 'mapping' }],
      })
    }
    const limits = { max_body_length: 10, when_exceeded: 'refuse' }
    const { post, context } = await serve(push, undefined, limits)
    const mixed = makeRequest({ records: 3, body: (record) => (record === 1 ? 'x'.repeat(11) : 'short') })
    const partial = fieldsOf(fieldsOf((await post(mixed)).body).get(1)?.[0] as Buffer)
    expect([partial.get(1), String(partial.get(2)?.[0])]).toEqual([
      [2],
      '1 log records are over 10 bytes (limits.max_body_length); the destination refused some; 1 record: mapping',
    ])
    expect(await context.value('otelcol_receiver_accepted_log_records')).toBe(1)
  })
})
