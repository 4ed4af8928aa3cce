import { expect } from 'vitest'
import { PermanentError, type Push, RetryableError } from '../../../../../src/component.ts'
import { encodeRequest, type RequestInit } from '../../../../oracle/oracle.ts'
import { gate, serve } from '../../harness.ts'
import { ALL, type Case, type Group, IN_JSON, IN_PROTOBUF, isGrpc, WITH_ZSTD } from '../case.ts'
import { ONE_RECORD, send } from '../client.ts'

const THREE: RequestInit = {
  resourceLogs: [{ scopeLogs: [{ logRecords: [{ flags: 1 }, { flags: 2 }, { flags: 3 }] }] }],
}
const NO_RECORDS: RequestInit = { resourceLogs: [{ scopeLogs: [{ scope: { name: 'a' } }] }] }

const failing =
  (error: Error): Push =>
  async () => {
    throw error
  }
const rejecting = (...rejected: { records: number[]; reason: string }[]): Push =>
  failing(new PermanentError(rejected[0].reason, { rejected }))
const retryLater = (retryAfter?: number): Push =>
  failing(new RetryableError('the buffer is full', retryAfter === undefined ? {} : { retryAfter }))

const success: readonly Case[] = [
  {
    name: 'a request whose records are taken is answered with success, and partial_success is not set',
    section: 'success',
    over: ALL,
    answer: { ok: true },
  },
  {
    name: 'success is answered only once the records are safe',
    section: 'success',
    over: ALL,
    check: async (_, way) => {
      const pushed = gate()
      const safe = gate()
      const harness = await serve(async () => {
        pushed.open()
        await safe.opened
      })
      let answered = false
      const answer = send(harness, way).finally(() => {
        answered = true
      })
      await pushed.opened
      expect(answered).toBe(false)
      safe.open()
      expect((await answer).failure).toBeUndefined()
    },
  },
  {
    name: 'a request of no bytes is an empty one, which is taken',
    section: 'success',
    over: IN_PROTOBUF,
    send: { body: '' },
    answer: { ok: true },
    pushed: [],
  },
  {
    name: 'a request without resources is taken',
    section: 'success',
    over: ALL,
    send: { request: {} },
    answer: { ok: true },
    pushed: [],
  },
  {
    name: 'a request without records is taken',
    section: 'success',
    over: ALL,
    send: { request: NO_RECORDS },
    answer: { ok: true },
    pushed: [],
  },
  {
    name: 'the same request is taken again: a client may not have seen the first answer',
    section: 'success',
    over: ALL,
    check: async (harness, way) => {
      expect((await send(harness, way)).failure).toBeUndefined()
      expect((await send(harness, way)).failure).toBeUndefined()
      expect(harness.batches).toHaveLength(2)
    },
  },
  {
    name: 'two requests whose bytes follow each other are one request of both',
    section: 'versions',
    over: IN_PROTOBUF,
    send: { body: Buffer.concat([encodeRequest(ONE_RECORD), encodeRequest(THREE)]) },
    answer: { ok: true },
    pushed: [{ resourceLogs: [...(ONE_RECORD.resourceLogs ?? []), ...(THREE.resourceLogs ?? [])] }],
  },
  {
    name: 'fields that are not known are skipped',
    section: 'versions',
    over: IN_PROTOBUF,
    send: { body: Buffer.concat([Buffer.from('fa01036e6577', 'hex'), encodeRequest(ONE_RECORD)]) },
    answer: { ok: true },
    pushed: [ONE_RECORD],
  },
]

const partial: readonly Case[] = [
  {
    name: 'records that are refused for good are counted in partial_success, and why',
    section: 'partial',
    over: ALL,
    push: rejecting({ records: [0, 2], reason: 'mapping conflict' }),
    send: { request: THREE },
    answer: { rejected: 2, message: '2 records: mapping conflict' },
  },
  {
    name: 'the message of partial_success names every rule and how many records it refused',
    section: 'partial',
    over: ALL,
    push: rejecting(
      { records: [0], reason: 'too many attributes' },
      { records: [2], reason: 'the body is too large' },
    ),
    send: { request: THREE },
    answer: { rejected: 2, message: '1 record: too many attributes; 1 record: the body is too large' },
  },
  {
    name: 'a request whose records are all refused for good is a failure that is not sent again',
    section: 'failures',
    over: ALL,
    push: rejecting({ records: [0, 1, 2], reason: 'mapping conflict' }),
    send: { request: THREE },
    answer: { failure: { code: 3, http: 400, message: 'mapping conflict', badRequest: true } },
  },
]

const failures: readonly Case[] = [
  ...(
    [
      ['a wait of two and a half seconds', 2500, 2500, '3'],
      ['a wait of one millisecond', 1, 1, '1'],
      ['a wait of exactly a minute', 60_000, 60_000, '60'],
      ['no wait', 0, 0, '0'],
      ['a wait that nobody named, which is a second', undefined, 1000, '1'],
    ] as const
  ).map(
    ([what, wait, retryMs, retryAfter]): Case => ({
      name: `what may succeed later is UNAVAILABLE or 503 with ${what} in RetryInfo, and in Retry-After in whole seconds`,
      section: 'throttling',
      over: ALL,
      push: retryLater(wait),
      answer: { failure: { code: 14, http: 503, message: 'the buffer is full', retryMs, retryAfter } },
    }),
  ),
  {
    name: 'a sender over its rate is RESOURCE_EXHAUSTED with RetryInfo, or 429 with Retry-After: it may send again',
    section: 'throttling',
    over: ALL,
    receiver: { rate_limits: { default: { requests: 1 / 3600, burst: '1h' } } },
    check: async (harness, way) => {
      expect((await send(harness, way)).failure).toBeUndefined()
      const { http, headers, failure } = await send(harness, way)
      expect(failure).toMatchObject({ code: 8, retryMs: 9000 })
      if (!isGrpc(way)) expect([http, headers['retry-after']]).toEqual([429, '9'])
      expect(harness.batches).toHaveLength(1)
    },
  },
  {
    name: 'what will never succeed is INVALID_ARGUMENT or 400, without RetryInfo',
    section: 'failures',
    over: ALL,
    push: failing(new PermanentError('no such tenant')),
    answer: { failure: { code: 3, http: 400, message: 'no such tenant', badRequest: true } },
  },
  {
    name: 'an error that nobody planned may succeed later, and its message stays inside',
    section: 'failures',
    over: ALL,
    push: failing(new TypeError('secret')),
    answer: {
      failure: {
        code: 14,
        http: 503,
        message: /^the collector failed unexpectedly/,
        retryMs: 1000,
        retryAfter: '1',
      },
    },
  },
  {
    name: 'a message of any length and script arrives in headers and bodies',
    section: 'failures',
    over: ALL,
    push: failing(new PermanentError(`中 % \n ${'x'.repeat(50_000)} end`)),
    answer: { failure: { code: 3, http: 400, message: /^中 % \n x+ … x+ end$/ } },
  },
]

const malformed: readonly Case[] = [
  ...(
    [
      ['a request that is cut off', encodeRequest(ONE_RECORD).subarray(0, -1), /runs past/],
      ['a field of another wire type', Buffer.from('0801', 'hex'), /^wire type 0/],
      ['a number of eleven bytes', Buffer.alloc(11, 0xff), /longer than ten bytes/],
      ['text that is not UTF-8', Buffer.from('0a07120512031a01ff', 'hex'), /not valid UTF-8/],
      ['a length beyond the end', Buffer.from('0aff01', 'hex'), /runs past/],
      ['values 65 levels deep', tooDeep(65), /deeper than 64 levels/],
      ['values 10,000 levels deep', tooDeep(10_000), /deeper than 64 levels/],
    ] as const
  ).map(
    ([what, body, message]): Case => ({
      name: `${what} is INVALID_ARGUMENT or 400, with BadRequest`,
      section: 'badData',
      over: IN_PROTOBUF,
      send: { body },
      answer: { failure: { code: 3, http: 400, message, badRequest: true } },
    }),
  ),
  {
    name: 'values 65 levels deep in JSON are 400, with BadRequest',
    section: 'badData',
    over: IN_JSON,
    send: {
      body: `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(65)}`,
    },
    answer: { failure: { code: 3, http: 400, message: /deeper than 64 levels/, badRequest: true } },
  },
]

const small = { grpc: { max_recv_msg_size_mib: 1 }, http: { max_request_body_size: '1MiB' } }
const MIB = 1024 * 1024
const large = (size: number): RequestInit => ({
  resourceLogs: [
    { scopeLogs: [{ logRecords: [{ body: { value: { case: 'stringValue', value: 'x'.repeat(size) } } }] }] },
  ],
})

const sizes: readonly Case[] = [
  {
    name: 'a request of nearly the limit is taken',
    section: 'failures',
    over: ALL,
    settings: small,
    send: { request: large(MIB - 1000) },
    answer: { ok: true },
  },
  {
    name: 'a request over the limit is RESOURCE_EXHAUSTED or 413, and not sent again',
    section: 'failures',
    over: ALL,
    settings: small,
    send: { request: large(MIB) },
    answer: { failure: { code: 8, http: 413, message: /larger than 1048576 bytes/ } },
  },
  ...(['gzip', 'deflate', 'zstd'] as const).map(
    (compression): Case => ({
      name: `a request over the limit once its ${compression} is undone is RESOURCE_EXHAUSTED or 413`,
      section: 'failures',
      over: compression === 'zstd' ? WITH_ZSTD : ALL,
      settings: small,
      send: { request: large(MIB), compression },
      answer: { failure: { code: 8, http: 413, message: /larger than 1048576 bytes/ } },
    }),
  ),
]

/** A record whose body is a list in a list in a list … */
function tooDeep(levels: number): Buffer {
  let bytes = Buffer.alloc(0)
  const wrap = (tag: number): void => {
    const length: number[] = []
    for (let rest = bytes.length; ; rest >>>= 7) {
      if (rest < 0x80) {
        length.push(rest)
        break
      }
      length.push((rest & 0x7f) | 0x80)
    }
    bytes = Buffer.concat([Buffer.from([tag, ...length]), bytes])
  }
  for (let level = 1; level < levels; level++) {
    wrap(0x0a)
    wrap(0x2a)
  }
  for (const tag of [0x2a, 0x12, 0x12, 0x0a]) wrap(tag)
  return bytes
}

export const answers: readonly Group[] = [
  { title: 'Success', cases: success },
  { title: 'Partial success', cases: partial },
  { title: 'Failures', cases: failures },
  { title: 'Bad data', cases: malformed },
  { title: 'Sizes', cases: sizes },
]
