import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { KeyValue, Record, Request, ResourceLogs, ScopeLogs } from '../../../src/logs/wire.ts'
import { WireWriter } from '../../../src/logs/wire-writer.ts'
import { makeRequest } from '../../support/requests.ts'
import { CANCEL, Flag, FrameClient, frameOf, openingOf, Type } from './frames.ts'
import {
  frame,
  type Harness,
  IMPLEMENTATIONS,
  OURS,
  PROTOBUF,
  rawCall,
  rawGrpc,
  serve,
  serveBy,
} from './harness.ts'

const REJECTED = 'sluice_receiver_rejected_requests_total'
const REJECTED_CONNECTIONS = 'sluice_receiver_rejected_connections_total'
const small = makeRequest({ records: 2 })
const portOf = ({ receiver }: Harness, protocol: 'grpc' | 'http'): number => receiver.port(protocol) ?? 0

/** Sends both ways until `attack` has settled, and at least once after it began; every request has to succeed. */
async function servesNeighbours<T>({ grpc, post }: Harness, attack: Promise<T>): Promise<T> {
  let over = false
  const settled = attack.finally(() => {
    over = true
  })
  do {
    const [byGrpc, byHttp] = await Promise.all([grpc(small), post(small)])
    expect([byGrpc.code, byHttp.status]).toEqual([0, 200])
  } while (!over)
  return settled
}

/** An HTTP connection that sends `head` and waits. Resolves with what came back when it is closed. */
async function waiting(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket.write(head)
  await once(socket, 'close')
  return received
}

describe.each(OURS)('slow loris, with gRPC by %s', (implementation) => {
  const start = serveBy(implementation)

  it('costs nobody else anything: headers that never end are answered 408 and counted', async () => {
    const harness = await start(undefined, {
      grpc: { endpoint: '127.0.0.1:0', read_timeout: '500ms' },
      http: { endpoint: '127.0.0.1:0', read_header_timeout: '500ms', read_timeout: '1s' },
    })
    const http = Array.from({ length: 50 }, () =>
      waiting(portOf(harness, 'http'), 'POST /v1/logs HTTP/1.1\r\nHost: a\r\nX-'),
    )
    const grpc = Array.from({ length: 50 }, () => new FrameClient(portOf(harness, 'grpc')))
    for (const client of grpc) client.send(Buffer.from('PRI * HTTP/2.0\r\n'))

    const answers = await servesNeighbours(harness, Promise.all(http))
    await servesNeighbours(harness, Promise.all(grpc.map(({ closed }) => closed)))

    expect(new Set(answers.map((answer) => answer.split('\r\n')[0]))).toEqual(
      new Set(['HTTP/1.1 408 Request Timeout']),
    )
    expect(await harness.context.value(REJECTED, { transport: 'http', reason: 'timeout' })).toBe(50)
  })

  it('costs nobody else anything: bodies that never end are given up', async () => {
    const limits = { min_body_rate: 100, min_body_rate_grace: '500ms' }
    const harness = await start(undefined, undefined, limits)
    const head = `POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 1000\r\n\r\na`
    const http = Array.from({ length: 50 }, () => waiting(portOf(harness, 'http'), head))
    const grpc = Array.from({ length: 50 }, () => rawCall(portOf(harness, 'grpc')))
    for (const { stream } of grpc) stream.write(frame(small).subarray(0, 8))

    const answers = await servesNeighbours(harness, Promise.all(http))
    const statuses = await servesNeighbours(harness, Promise.all(grpc.map(({ answer }) => answer)))

    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 408 '))).toBe(true)
    expect(statuses.every((answer) => answer['grpc-status'] === '4')).toBe(true)
    expect(await harness.context.value(REJECTED, { reason: 'slow' })).toBe(100)
  })
})

describe('headers', () => {
  it('that are too large are answered 431 over HTTP, and counted', async () => {
    const harness = await serve()
    const head = `POST /v1/logs HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`
    const answer = await servesNeighbours(harness, waiting(portOf(harness, 'http'), head))
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
    expect(await harness.context.value(REJECTED, { reason: 'headers_too_large' })).toBe(1)
  })

  it('that are none are answered 400 over HTTP, and counted', async () => {
    const harness = await serve()
    const answer = await servesNeighbours(harness, waiting(portOf(harness, 'http'), 'no such thing\r\n\r\n'))
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(await harness.context.value(REJECTED, { reason: 'malformed' })).toBe(1)
  })

  it.each(IMPLEMENTATIONS)(
    'that are too large, or without end, end the call with %s, not the server',
    async (by) => {
      const harness = await serveBy(by)()
      const large = rawGrpc(portOf(harness, 'grpc'), frame(small), { 'x-large': 'x'.repeat(100_000) })
      const refused = large.then(
        () => false,
        () => true,
      )
      expect(await servesNeighbours(harness, refused)).toBe(true)

      // CVE-2024-27983: HEADERS and CONTINUATION frames that never say that they are the last.
      const client = new FrameClient(portOf(harness, 'grpc'))
      client.greet()
      const unending = frameOf(9, Flag.none, 1, Buffer.from([0, 1, 0x78, 100, ...Buffer.alloc(100, 0x78)]))
      client.send(frameOf(Type.headers, Flag.none, 1), ...Array<Buffer>(5000).fill(unending))
      await servesNeighbours(harness, client.closed)
    },
  )
})

describe.each(IMPLEMENTATIONS)('frames to %s', (by) => {
  it.each([
    ['DATA on a stream that is not open', frameOf(Type.data, Flag.none, 1, Buffer.alloc(10))],
    ['a frame longer than allowed', frameOf(Type.data, Flag.none, 1, Buffer.alloc(100_000))],
    ['HEADERS on stream 0', frameOf(Type.headers, Flag.endHeaders, 0)],
    ['HEADERS that do not decompress', frameOf(Type.headers, Flag.endHeaders, 1, Buffer.alloc(20, 0xff))],
    ['SETTINGS of a broken length', frameOf(Type.settings, Flag.none, 0, Buffer.alloc(5))],
    ['a window that overflows', frameOf(8, Flag.none, 0, Buffer.from('7fffffff', 'hex'))],
    ['a reset of a stream that never was', frameOf(Type.reset, Flag.none, 5, CANCEL)],
  ])('that are malformed end the connection and nothing else: %s', async (_, malformed) => {
    const harness = await serveBy(by)()
    const client = new FrameClient(portOf(harness, 'grpc'))
    client.greet()
    client.send(malformed)
    await servesNeighbours(harness, client.closed)
    expect(client.types).toContain(Type.goaway)
  })
})

describe('rapid reset (CVE-2023-44487)', () => {
  const OPENED = 20_000

  /** Opens calls and gives each up at once. */
  function attack(client: FrameClient): Promise<void> {
    client.greet()
    for (let stream = 1; stream < 2 * OPENED; stream += 2) {
      client.send(openingOf(stream), frameOf(Type.reset, Flag.none, stream, CANCEL))
    }
    return client.closed
  }

  it.each(OURS)('ends the connection with ENHANCE_YOUR_CALM, and is counted, by %s', async (by) => {
    const harness = await serveBy(by)()
    const client = new FrameClient(portOf(harness, 'grpc'))
    await servesNeighbours(harness, attack(client))
    expect(client.types).toContain(Type.goaway)
    expect(await harness.context.value(REJECTED_CONNECTIONS, { reason: 'rapid_reset' })).toBe(1)
    expect(await harness.context.value(REJECTED)).toBeLessThan(1500)
    expect(await harness.context.value('sluice_receiver_in_flight_bytes')).toBe(0)
  })

  it('ends the connection with grpc-js as well', async () => {
    const harness = await serveBy('grpc-js')()
    await servesNeighbours(harness, attack(new FrameClient(portOf(harness, 'grpc'))))
  })

  it.each(OURS)(
    'is not what a client does whose calls all pass their deadline at once, by %s',
    async (by) => {
      const harness = await serveBy(by)(() => new Promise(() => {}))
      const { session, stream } = rawCall(portOf(harness, 'grpc'))
      const calls = Array.from({ length: 99 }, () => rawCall(session))
      for (const call of [{ stream }, ...calls]) call.stream.end(frame(small))
      await expect.poll(() => harness.batches).toHaveLength(100)
      for (const call of [{ stream }, ...calls]) call.stream.close(8)
      await new Promise((resolve) => session.ping(resolve))
      expect([session.closed, session.destroyed]).toEqual([false, false])
    },
  )
})

/** A request with one record that has an attribute for each of `keys`, made without an object for each. */
function withKeys(count: number, key: (i: number) => string): Buffer {
  const writer = new WireWriter(count * 8)
  const starts = [
    writer.openWide(Request.resourceLogs),
    writer.openWide(ResourceLogs.scopeLogs),
    writer.openWide(ScopeLogs.logRecords),
  ]
  for (let i = 0; i < count; i++) {
    const attribute = writer.open(Record.attributes)
    writer.text(KeyValue.key, key(i))
    writer.close(attribute)
  }
  for (const start of starts.reverse()) writer.closeWide(start)
  return writer.take()
}

const POLLUTING = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']

describe('a request made to be expensive', () => {
  it.each([
    ['a million attributes', withKeys(1_000_000, () => 'k')],
    ['keys that name the prototype', withKeys(POLLUTING.length, (i) => POLLUTING[i])],
  ])('is taken as it is, and costs nobody else anything: %s', async (_, request) => {
    const before = process.resourceUsage().maxRSS
    const harness = await serve()
    const both = Promise.all([harness.grpc(request), harness.post(request)])
    const [byGrpc, byHttp] = await servesNeighbours(harness, both)
    expect([byGrpc.code, byHttp.status]).toEqual([0, 200])
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(64)
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('is cut down to max_attributes: a million of them', async () => {
    const harness = await serve(undefined, undefined, { max_attributes: 128 })
    const answer = await servesNeighbours(harness, harness.grpc(withKeys(1_000_000, () => 'k')))
    expect(answer.code).toBe(0)
    const truncated = harness.context.value('sluice_receiver_truncated_total', { limit: 'max_attributes' })
    expect(await truncated).toBe(999_872)
  })
})
