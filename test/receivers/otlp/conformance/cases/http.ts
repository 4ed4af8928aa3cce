import { expect } from 'vitest'
import { gate, serve } from '../../harness.ts'
import { ALL, BY_HTTP, type Case, type Group, IN_JSON, type Scene } from '../case.ts'
import { send } from '../client.ts'
import { post, sendRaw, statusIn } from '../raw-http.ts'

const REJECTED = 'sluice_receiver_rejected_requests_total'
const CHUNKED = { 'transfer-encoding': 'chunked' }

const paths: readonly Case[] = [
  ...['/', '/v1/traces', '/v1/metrics', '/v1/logs/', '/v1/logsX', '/V1/LOGS', '/metrics', '/debug/pprof'].map(
    (path): Case => ({
      name: `POST ${path} is 404 with a Status`,
      section: 'httpFailures',
      over: BY_HTTP,
      send: { path },
      answer: { failure: { code: 12, http: 404, message: 'there is nothing here; logs go to /v1/logs' } },
    }),
  ),
  {
    name: 'a query is not part of the path',
    section: 'httpRequest',
    over: BY_HTTP,
    send: { path: '/v1/logs?api_key=x' },
    answer: { ok: true },
  },
  {
    name: 'logs_url_path is the path',
    section: 'collector',
    over: BY_HTTP,
    settings: { http: { logs_url_path: '/in' } },
    send: { path: '/in' },
    answer: { ok: true },
  },
  {
    name: 'with logs_url_path the default path is 404',
    section: 'collector',
    over: BY_HTTP,
    settings: { http: { logs_url_path: '/in' } },
    answer: { failure: { code: 12, http: 404, message: 'there is nothing here; logs go to /in' } },
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(
    (method): Case => ({
      name: `${method} is 405 with a Status, and Allow says POST`,
      section: 'http',
      over: BY_HTTP,
      send: { method },
      answer: {
        failure: {
          code: 12,
          http: 405,
          message: `logs are sent with POST, not ${method}`,
          headers: { allow: 'POST' },
        },
      },
    }),
  ),
]

const messages: readonly Scene[] = [
  {
    name: 'a body may come in chunks',
    section: 'http1',
    over: IN_JSON,
    check: async (harness) => {
      const [answer] = await sendRaw(
        harness,
        post({ ...CHUNKED, connection: 'close' }, '1\r\n{\r\n1\r\n}\r\n0\r\n\r\n'),
      )
      expect([answer.status, answer.body]).toEqual([200, '{}'])
    },
  },
  {
    name: 'Expect: 100-continue is answered before the body',
    section: 'http',
    over: IN_JSON,
    check: async (harness) => {
      const headers = { expect: '100-continue', 'content-length': '2', connection: 'close' }
      const answers = await sendRaw(harness, post(headers, '{}'))
      expect(answers.map(({ status }) => status)).toEqual([100, 200])
    },
  },
  {
    name: 'another Expect is 417 with a Status',
    section: 'http',
    over: IN_JSON,
    check: async (harness) => {
      const headers = { expect: 'more', 'content-length': '0', connection: 'close' }
      const [answer] = await sendRaw(harness, post(headers))
      expect([answer.status, statusIn(answer).code]).toEqual([417, 3])
      expect(await harness.context.value(REJECTED, { reason: 'expectation' })).toBe(1)
    },
  },
  {
    name: 'a connection takes one request after the other',
    section: 'connection',
    over: IN_JSON,
    check: async (harness) => {
      const one = post({ 'content-length': '2' }, '{}')
      const last = post({ 'content-length': '2', connection: 'close' }, '{}')
      expect((await sendRaw(harness, one + one + last)).map(({ status }) => status)).toEqual([200, 200, 200])
    },
  },
  {
    name: 'without keep_alives_enabled it takes one',
    section: 'collector',
    over: IN_JSON,
    settings: { http: { keep_alives_enabled: false } },
    check: async (harness) => {
      const answers = await sendRaw(harness, post({ 'content-length': '2' }, '{}'))
      expect(answers.map(({ status, headers }) => [status, headers.get('connection')])).toEqual([
        [200, 'close'],
      ])
    },
  },
  {
    name: 'a connection that brings no further request ends after idle_timeout',
    section: 'connection',
    over: IN_JSON,
    settings: { http: { idle_timeout: '50ms' } },
    check: async (harness) => {
      expect(await sendRaw(harness, post({ 'content-length': '2' }, '{}'))).toHaveLength(1)
    },
  },
  {
    name: 'HTTP/1.0 is understood',
    section: 'http1',
    over: IN_JSON,
    check: async (harness) => {
      const request =
        'POST /v1/logs HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
      const [answer] = await sendRaw(harness, request)
      expect(answer.status).toBe(200)
    },
  },
  {
    name: 'HEAD is 405 without a body',
    section: 'http',
    over: IN_JSON,
    check: async (harness) => {
      const response = await fetch(harness.url(), { method: 'HEAD' })
      expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([
        405,
        'POST',
        '',
      ])
    },
  },
  {
    name: 'response_headers are in every answer',
    section: 'collector',
    over: IN_JSON,
    settings: { http: { response_headers: { 'X-Frame-Options': 'DENY' } } },
    check: async (harness, way) => {
      const frames = { 'x-frame-options': 'DENY' }
      expect((await send(harness, way)).headers).toMatchObject(frames)
      expect((await send(harness, way, { path: '/' })).headers).toMatchObject(frames)
      const [broken] = await sendRaw(harness, 'nonsense\r\n\r\n')
      expect(broken.headers.get('x-frame-options')).toBe('DENY')
    },
  },
]

/** Bytes that are no request, and how they are answered. */
const BROKEN: readonly (readonly [string, string, number, number, string])[] = [
  ['a line that is none of HTTP', 'nonsense\r\n\r\n', 400, 3, 'malformed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 3, 'malformed'],
  ['a version that is not known', 'POST /v1/logs HTTP/9.9\r\nhost: a\r\n\r\n', 400, 3, 'malformed'],
  ['a method that is not known', 'FLY /v1/logs HTTP/1.1\r\nhost: a\r\n\r\n', 400, 3, 'malformed'],
  ['a request without Host', 'POST /v1/logs HTTP/1.1\r\ncontent-length: 0\r\n\r\n', 400, 3, 'malformed'],
  ['a header without a colon', 'POST /v1/logs HTTP/1.1\r\nhost a\r\n\r\n', 400, 3, 'malformed'],
  ['a Content-Length that is no number', post({ 'content-length': 'x' }), 400, 3, 'malformed'],
  [
    'a Content-Length beside Transfer-Encoding',
    post({ ...CHUNKED, 'content-length': '2' }),
    400,
    3,
    'malformed',
  ],
  ['a chunk whose size is no number', post(CHUNKED, 'zz\r\n{}\r\n'), 400, 3, 'malformed'],
  ['headers of more than 16 KiB', post({ 'x-large': 'x'.repeat(20_000) }), 431, 8, 'headers_too_large'],
  ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n', 405, 12, 'method'],
]

function isAnswered([name, bytes, status, code, reason]: (typeof BROKEN)[number]): Scene {
  return {
    name: `${name}: ${status} with a Status, and the connection ends`,
    section: 'http1',
    over: IN_JSON,
    check: async (harness) => {
      const [answer, ...more] = await sendRaw(harness, bytes)
      expect([answer.status, answer.headers.get('connection'), more]).toEqual([status, 'close', []])
      expect(statusIn(answer).code).toBe(code)
      expect(await harness.context.value(REJECTED, { transport: 'http', reason })).toBe(1)
      expect(await harness.context.value('otelcol_receiver_requests')).toBe(1)
    },
  }
}

function comesTooLate([what, bytes]: readonly [what: string, bytes: string]): Scene {
  return {
    name: `${what}: 408 with a Status, and the connection ends`,
    section: 'http',
    over: IN_JSON,
    settings: { http: { read_header_timeout: '50ms', read_timeout: '50ms' } },
    check: async (harness) => {
      const [answer] = await sendRaw(harness, bytes)
      expect([answer.status, answer.headers.get('connection'), statusIn(answer).code]).toEqual([
        408,
        'close',
        4,
      ])
      expect(await harness.context.value(REJECTED, { transport: 'http', reason: 'timeout' })).toBe(1)
      expect(await harness.context.value('otelcol_receiver_requests')).toBe(1)
    },
  }
}

const broken: readonly Scene[] = [
  ...BROKEN.map(isAnswered),
  {
    name: 'a body that ends too early: 400 with a Status',
    section: 'http1',
    over: IN_JSON,
    check: async (harness) => {
      const [answer] = await sendRaw(harness, post({ 'content-length': '9' }, '{}'), { end: true })
      expect([answer.status, statusIn(answer).code]).toEqual([400, 1])
      expect(await harness.context.value(REJECTED, { reason: 'disconnected' })).toBe(1)
    },
  },
  {
    name: 'nonsense after a request does not keep it from being answered',
    section: 'http1',
    over: IN_JSON,
    check: async () => {
      const pushed = gate()
      const buffered = gate()
      const harness = await serve(async () => {
        pushed.open()
        await buffered.opened
      })
      const body = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}'
      const request = post({ 'content-length': String(body.length) }, body)
      const answers = sendRaw(harness, `${request}nonsense\r\n\r\n`)
      await pushed.opened
      buffered.open()
      expect((await answers).map(({ status }) => status)).toEqual([200])
      expect(await harness.context.value(REJECTED, { reason: 'malformed' })).toBe(1)
    },
  },
  ...(
    [
      ['headers that do not come within read_header_timeout', 'POST /v1/logs HTTP/1.1\r\nhost: a\r\n'],
      ['a body that does not come within read_timeout', post({ 'content-length': '9' }, '{')],
    ] as const
  ).map(comesTooLate),
]

const stopping: readonly Case[] = [
  {
    name: 'a request that runs while the receiver stops is answered, and its connection ends',
    section: 'connection',
    over: ALL,
    check: async (_, way) => {
      const pushed = gate()
      const buffered = gate()
      const harness = await serve(async () => {
        pushed.open()
        await buffered.opened
      })
      const answer = send(harness, way)
      await pushed.opened
      const stopped = harness.receiver.stop(new AbortController().signal)
      buffered.open()
      expect((await answer).failure).toBeUndefined()
      await stopped
    },
  },
  {
    name: 'a request that outlasts the stop is told to come again',
    section: 'failures',
    over: BY_HTTP,
    check: async (_, way) => {
      const pushed = gate()
      const harness = await serve(async (_batch, signal) => {
        pushed.open()
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        })
      })
      const deadline = new AbortController()
      const answer = send(harness, way).catch((error: NodeJS.ErrnoException) => error.code)
      await pushed.opened
      const stopped = harness.receiver.stop(deadline.signal)
      deadline.abort()
      await stopped
      // Either the answer was still written or the connection was cut, which clients try again as well.
      const result = await answer
      if (typeof result === 'object') expect(result.failure).toMatchObject({ code: 14, retryMs: 1000 })
      else expect(result).toBe('ECONNRESET')
    },
  },
]

export const http: readonly Group[] = [
  { title: 'Paths and methods', cases: paths },
  { title: 'HTTP messages', cases: messages },
  { title: 'What is no HTTP', cases: broken },
  { title: 'Stopping', cases: stopping },
]
