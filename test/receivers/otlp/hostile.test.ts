import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  AnyValue,
  KeyValue,
  LIST_ITEM,
  Record,
  Request,
  ResourceLogs,
  ScopeLogs,
} from '../../../src/logs/wire.ts'
import { WireWriter } from '../../../src/logs/wire-writer.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  frame,
  gate,
  type Harness,
  IMPLEMENTATIONS,
  type Protocols,
  rawGrpc,
  serveBy,
  statusOf,
} from './harness.ts'

const MIB = 1024 * 1024
const LIMIT = {
  grpc: { endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 1 },
  http: { endpoint: '127.0.0.1:0', max_request_body_size: '1MiB' },
}

/** 640 MiB of zeros in a few hundred kilobytes: as members of gzip and frames of zstd. */
function bombs(): readonly (readonly ['gzip' | 'zstd', Buffer])[] {
  const zeros = Buffer.alloc(64 * MIB)
  const tenTimes = (bytes: Buffer): Buffer => Buffer.concat(Array<Buffer>(10).fill(bytes))
  return [
    ['gzip', tenTimes(gzipSync(zeros, { level: 1 }))],
    ['zstd', tenTimes(zstdCompressSync(zeros))],
  ]
}

const BOMBS = bombs()

/** A request of one record whose content is `content`. */
function withRecord(content: Uint8Array): Buffer {
  const writer = new WireWriter()
  const resource = writer.open(Request.resourceLogs)
  const scope = writer.open(ResourceLogs.scopeLogs)
  writer.field(ScopeLogs.logRecords, content)
  writer.close(scope)
  writer.close(resource)
  return writer.take()
}

/** A record whose body is a list in a list in a list … */
function nested(levels: number): Buffer {
  const writer = new WireWriter()
  const starts = [writer.open(Record.body)]
  for (let level = 1; level < levels; level++) {
    starts.push(writer.open(AnyValue.array), writer.open(LIST_ITEM))
  }
  for (const start of starts.reverse()) writer.close(start)
  return writer.take()
}

const withText = (tag: number, text: number[]): Buffer => withRecord(Buffer.from([tag, text.length, ...text]))
const keyOf = (text: number[]): number[] => [
  Record.attributes,
  text.length + 2,
  KeyValue.key,
  text.length,
  ...text,
]

const MALFORMED: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    'a truncated request',
    makeRequest({ records: 3 }).subarray(0, -5),
    /runs past the \d+ that are left, at byte \d+$/,
  ],
  ['a number that never ends', Buffer.alloc(11, 0xff), /^a number is longer than ten bytes/],
  ['a huge length', Buffer.from('0affffffffffffffffff01', 'hex'), /^a length of \d+ bytes runs past the 0/],
  [
    'a huge length inside',
    withRecord(Buffer.from('2affffffff7f', 'hex')),
    /^a length of 34359738367 bytes runs past/,
  ],
  ['the wrong wire type', Buffer.from('0801', 'hex'), /^wire type 0 for field 1 of resource_logs/],
  [
    'the wrong wire type inside',
    withRecord(Buffer.from('0801', 'hex')),
    /^wire type 0 for field 1 of log_records/,
  ],
  ['a wire type that OTLP lacks', Buffer.from('0b', 'hex'), /wire type 3/],
  ['a field number of 0', Buffer.from('0000', 'hex'), /^field number out of range/],
  ['invalid UTF-8', withText(Record.severityText, [0xff]), /^severity_text is not valid UTF-8/],
  ['an invalid UTF-8 key', withRecord(Buffer.from(keyOf([0xc3]))), /^attribute key is not valid UTF-8/],
  ['65 levels of nesting', withRecord(nested(65)), /^values are nested deeper than 64 levels/],
  ['10,000 levels of nesting', withRecord(nested(10_000)), /^values are nested deeper than 64 levels/],
  ['a million empty records', emptyRecords(1_000_000), /^more than 250000 records/],
]

function emptyRecords(count: number): Buffer {
  const writer = new WireWriter(count * 2 + 16)
  const resource = writer.open(Request.resourceLogs)
  const scope = writer.open(ResourceLogs.scopeLogs)
  for (let i = 0; i < count; i++) {
    writer.varint(ScopeLogs.logRecords)
    writer.varint(0)
  }
  writer.close(scope)
  writer.close(resource)
  return writer.take()
}

describe.each(IMPLEMENTATIONS)('with gRPC by %s', (implementation) => {
  const serve = serveBy(implementation)

  /** Runs `attack` while another request is in flight, which then succeeds. */
  async function besideANeighbour(
    attack: (harness: Harness) => Promise<void>,
    protocols: Protocols = LIMIT,
  ): Promise<void> {
    const buffered = gate()
    const pushed = gate()
    const harness = await serve(async () => {
      pushed.open()
      await buffered.opened
    }, protocols)
    const neighbours = [
      harness.grpc(makeRequest({ records: 2 })),
      harness.post(makeRequest({ records: 2 })),
    ] as const
    await pushed.opened
    await attack(harness)
    buffered.open()
    expect((await neighbours[0]).code).toBe(0)
    expect((await neighbours[1]).status).toBe(200)
    expect(harness.batches).toHaveLength(2)
  }

  describe('a request that cannot be read', () => {
    it.each(MALFORMED)(
      'is refused with a reason, beside a neighbour that succeeds: %s',
      async (_, bytes, message) => {
        await besideANeighbour(
          async ({ grpc, post, context }) => {
            const byGrpc = await grpc(bytes)
            expect(byGrpc).toMatchObject({ code: 3, message: expect.stringMatching(message) })
            expect(statusOf(byGrpc.details as Buffer).details.has('RetryInfo')).toBe(false)

            const byHttp = await post(bytes)
            expect([byHttp.status, byHttp.headers.get('retry-after')]).toEqual([400, null])
            expect(statusOf(byHttp.body).message).toMatch(message)

            expect(await context.value('otelcol_receiver_failed_log_records')).toBe(0)
            const rejected = { reason: 'malformed' }
            expect(await context.value('sluice_receiver_rejected_requests_total', rejected)).toBe(2)
          },
          { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } },
        )
      },
    )

    it('is refused in JSON as well: 10,000 levels of nesting, and text cut short', async () => {
      await besideANeighbour(async ({ post }) => {
        const list = '{"arrayValue":{"values":['.repeat(10_000)
        const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${list}`
        const deep = await post(body, { 'content-type': 'application/json' })
        expect([deep.status, deep.body.toString()]).toEqual([
          400,
          expect.stringContaining('deeper than 64 levels'),
        ])
        const cut = await post('{"resourceLogs":[{', { 'content-type': 'application/json' })
        expect([cut.status, cut.body.toString()]).toEqual([
          400,
          expect.stringContaining('the text ends too early'),
        ])
      })
    })
  })

  describe('a request over the limit', () => {
    it('is RESOURCE_EXHAUSTED without RetryInfo on gRPC, 413 without Retry-After on HTTP', async () => {
      await besideANeighbour(async ({ grpc, post, context }) => {
        const large = makeRequest({ records: 1, body: () => 'x'.repeat(MIB) })
        const byGrpc = await grpc(large)
        expect(byGrpc.code).toBe(8)
        expect(byGrpc.message).toMatch(/larger than .*1048576/)
        if (byGrpc.details) expect([...statusOf(byGrpc.details).details.keys()]).toEqual([])

        const byHttp = await post(large)
        expect([byHttp.status, byHttp.headers.get('retry-after')]).toEqual([413, null])
        expect(statusOf(byHttp.body)).toMatchObject({
          code: 8,
          message: 'the request is larger than 1048576 bytes (max_request_body_size)',
        })
        expect(
          await context.value('sluice_receiver_rejected_requests_total', {
            transport: 'grpc',
            reason: 'too_large',
          }),
        ).toBe(1)
        expect(
          await context.value('sluice_receiver_rejected_requests_total', {
            transport: 'http',
            reason: 'too_large',
          }),
        ).toBe(1)
        expect(await context.value('otelcol_receiver_requests', { outcome: 'failure' })).toBe(2)
      })
    })

    it('is found out while it is decompressed, in bounded memory', async () => {
      await besideANeighbour(async ({ post, receiver, context }) => {
        const before = process.resourceUsage().maxRSS
        for (const [encoding, body] of BOMBS) {
          const { status } = await post(body, { 'content-encoding': encoding })
          expect(status).toBe(413)
        }
        const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(BOMBS[0][1], 1), {
          'grpc-encoding': 'gzip',
        })
        expect(answer['grpc-status']).toBe('8')
        const grownMib = (process.resourceUsage().maxRSS - before) / 1024
        expect(grownMib).toBeLessThan(32)
        expect(await context.value('sluice_receiver_rejected_requests_total', { reason: 'too_large' })).toBe(
          3,
        )
      })
    })

    it('is refused by its announced length before it is sent', async () => {
      await besideANeighbour(async ({ receiver }) => {
        const answer = await rawGrpc(receiver.port('grpc') ?? 0, frame(Buffer.alloc(10), 0, 0xffffffff))
        expect(answer['grpc-status']).toBe('8')

        const socket = connect(receiver.port('http') ?? 0, '127.0.0.1')
        socket.write(
          'POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 99999999\r\n\r\n',
        )
        const [head] = (await once(socket, 'data')) as [Buffer]
        socket.destroy()
        expect(head.toString()).toMatch(/^HTTP\/1.1 413 /)
      })
    })

    it('is decompressed up to the limit', async () => {
      const { grpc, post } = await serve(undefined, LIMIT)
      const large = makeRequest({ records: 1, body: () => 'x'.repeat(MIB - 1000) })
      expect((await grpc(large, { 'grpc.default_compression_algorithm': 2 })).code).toBe(0)
      expect((await post(gzipSync(large), { 'content-encoding': 'gzip' })).status).toBe(200)
      expect((await post(zstdCompressSync(large), { 'content-encoding': 'zstd' })).status).toBe(200)
    })
  })

  describe('a client that breaks the protocol', () => {
    it('does not disturb the others: a message that is not complete, bad gzip, an unknown encoding', async () => {
      await besideANeighbour(async ({ receiver, context }) => {
        const port = receiver.port('grpc') ?? 0
        expect((await rawGrpc(port, frame(Buffer.alloc(10), 0, 100)))['grpc-status']).toBe('12')
        expect((await rawGrpc(port, Buffer.alloc(0)))['grpc-status']).toBe('12')
        expect(
          (await rawGrpc(port, frame(Buffer.from('no'), 1), { 'grpc-encoding': 'gzip' }))['grpc-status'],
        ).toBe('13')
        expect(
          (await rawGrpc(port, frame(Buffer.from('no'), 1), { 'grpc-encoding': 'snappy' }))['grpc-status'],
        ).toBe('12')
        const rejected = (reason: string): Promise<number> =>
          context.value('sluice_receiver_rejected_requests_total', { reason })
        expect([await rejected('malformed'), await rejected('content_encoding')]).toEqual([3, 1])
        expect(await context.value('otelcol_receiver_requests')).toBe(4)
      })
    })

    it.each([
      ['that are nothing', Buffer.alloc(5000, 'junk')],
      ['of a TLS ClientHello', Buffer.from('16030100a5010000a10303', 'hex')],
      ['of HTTP/1.1', Buffer.from('POST /v1/traces HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')],
    ])('does not disturb the others: bytes %s, on either port', async (_, bytes) => {
      await besideANeighbour(async ({ receiver }) => {
        for (const protocol of ['grpc', 'http'] as const) {
          const socket = connect(receiver.port(protocol) ?? 0, '127.0.0.1')
          socket.on('error', () => {})
          socket.end(bytes)
          socket.resume()
          await once(socket, 'close')
          expect(socket.destroyed).toBe(true)
        }
      })
    })
  })
})
