import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../test/servers/ports.ts'
import type { Answer } from '../../src/transport/answer.ts'
import type { Destination } from '../../src/transport/destination.ts'
import { HttpTransport } from '../../src/transport/http.ts'
import { type Collector, startHttpCollector } from '../pipe/kit/collector.ts'
import { destination } from '../pipe/kit/options.ts'
import { requestOf } from '../pipe/kit/records.ts'

const REQUEST = requestOf(1, 2, 3)
const silent = { warn() {} }

describe('the HTTP transport', () => {
  let collector: Collector

  beforeEach(async () => {
    collector = await startHttpCollector()
  })

  afterEach(() => collector[Symbol.asyncDispose]())

  const send = async (more: Partial<Destination> = {}, url = collector.url): Promise<Answer> => {
    const transport = new HttpTransport(destination(url, more), silent)
    try {
      return await transport.send(REQUEST)
    } finally {
      transport.close()
    }
  }

  it('posts the bytes as they are, with what OTLP asks for', async () => {
    expect(await send({ headers: { 'X-Tenant': 'blue' } })).toEqual({
      kind: 'taken',
      rejected: 0,
      message: '',
    })

    expect(collector.requests).toEqual([REQUEST])
    expect(collector.headers[0]).toMatchObject({
      'content-type': 'application/x-protobuf',
      'content-length': String(REQUEST.length),
      'x-tenant': 'blue',
      'user-agent': expect.stringMatching(/^Sluice-Logs-JavaScript\//),
    })
  })

  it('packs with gzip', async () => {
    await send({ compression: 'gzip' })

    expect(collector.headers[0]['content-encoding']).toBe('gzip')
    expect(collector.requests).toEqual([REQUEST])
  })

  it('asks for headers before each attempt', async () => {
    let token = 0
    const headers = async () => ({ authorization: `Bearer ${++token}` })
    const transport = new HttpTransport(destination(collector.url, { headers }), silent)

    await transport.send(REQUEST)
    await transport.send(REQUEST)
    transport.close()

    expect(collector.headers.map(({ authorization }) => authorization)).toEqual(['Bearer 1', 'Bearer 2'])
  })

  it('tries again later when the headers cannot be had', async () => {
    const headers = (): never => {
      throw new Error('no token')
    }

    expect(await send({ headers })).toMatchObject({
      kind: 'retryable',
      message: 'the function for headers failed',
    })
    expect(collector.requests).toEqual([])
  })

  it('leaves out a header that HTTP does not allow, and does not tell its value', async () => {
    const lines: string[] = []
    const diagnostics = { warn: (_kind: string, line: string) => lines.push(line) }
    const headers = { good: 'yes', bad: 'secret\n', 'no name': 'x' }
    const transport = new HttpTransport(destination(collector.url, { headers }), diagnostics)

    expect(await transport.send(REQUEST)).toMatchObject({ kind: 'taken' })
    transport.close()

    expect(collector.headers[0]).toMatchObject({ good: 'yes' })
    expect(lines).toEqual([
      'the header "bad" is not valid in HTTP and is left out',
      'the header "no name" is not valid in HTTP and is left out',
    ])
  })

  it('uses one connection for requests one after the other', async () => {
    const transport = new HttpTransport(destination(collector.url), silent)

    for (let i = 0; i < 5; i++) await transport.send(REQUEST)
    transport.close()

    expect(collector.connections).toBe(1)
  })

  it.each([429, 502, 503, 504])('may send again after %i', async (http) => {
    collector.answer({ http, message: 'come back' })

    expect(await send()).toEqual({
      kind: 'retryable',
      reason: String(http),
      message: `HTTP ${http}: come back`,
      waitMillis: undefined,
    })
  })

  it.each([301, 400, 401, 403, 404, 405, 408, 413, 415, 500, 501, 505])(
    'does not send again after %i',
    async (http) => {
      collector.answer({ http, message: 'no' })

      expect(await send()).toEqual({ kind: 'refused', reason: String(http), message: `HTTP ${http}: no` })
    },
  )

  it('honours Retry-After in seconds', async () => {
    collector.answer({ http: 503, headers: { 'retry-after': '7' } })

    expect(await send()).toMatchObject({ kind: 'retryable', waitMillis: 7000 })
  })

  it('honours Retry-After as a date', async () => {
    collector.answer({ http: 503, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } })

    const { waitMillis } = (await send()) as { waitMillis: number }

    expect(waitMillis).toBeGreaterThan(55_000)
    expect(waitMillis).toBeLessThanOrEqual(60_000)
  })

  it('prefers RetryInfo, which is exact, to Retry-After', async () => {
    collector.answer({ http: 429, retryMs: 250, headers: { 'retry-after': '1' } })

    expect(await send()).toMatchObject({ kind: 'retryable', waitMillis: 250 })
  })

  it('reads a status in JSON', async () => {
    const body = JSON.stringify({
      message: 'busy',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.500s' }],
    })
    collector.answer({ http: 503, body, headers: { 'content-type': 'application/json' } })

    expect(await send()).toMatchObject({ kind: 'retryable', message: 'HTTP 503: busy', waitMillis: 500 })
  })

  it.each([
    ['protobuf', {}],
    [
      'JSON',
      {
        body: '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}',
        headers: { 'content-type': 'application/json' },
      },
    ],
  ])('tells of partial success in %s', async (_, more) => {
    collector.answer({ rejected: 2, message: 'too old', ...more })

    expect(await send()).toEqual({ kind: 'taken', rejected: 2, message: 'too old' })
  })

  it('counts a request as taken whatever stands in the answer', async () => {
    collector.answer({ body: Buffer.from([0xff, 0xff, 0xff]) })

    expect(await send()).toEqual({ kind: 'taken', rejected: 0, message: '' })
  })

  it('does not keep an answer that is far too long', async () => {
    collector.answer({ http: 400, body: Buffer.alloc(8 * 2 ** 20, 'x') })

    expect(await send()).toEqual({ kind: 'refused', reason: '400', message: 'HTTP 400' })
  })

  it('puts what a server says on one line', async () => {
    collector.answer({ http: 400, message: `first\nsecond\u001b[31m${'x'.repeat(1000)}` })

    const { message } = (await send()) as { message: string }

    expect(message).toMatch(/^HTTP 400: first second \[31mx+$/)
    expect(message.length).toBe(200)
  })

  it('may send again when the connection is cut', async () => {
    collector.answer({ cut: true })

    expect(await send()).toMatchObject({ kind: 'retryable', reason: 'ECONNRESET' })
  })

  it('may send again when nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}/v1/logs`

    expect(await send({}, url)).toMatchObject({ kind: 'retryable', reason: 'ECONNREFUSED' })
  })

  it('may send again when no answer comes in time', async () => {
    collector.answer({ silent: true })

    expect(await send({ timeoutMillis: 100 })).toEqual({
      kind: 'retryable',
      reason: 'ETIMEDOUT',
      message: 'no answer within 100 ms',
      waitMillis: undefined,
    })
  })

  it('ends what is under way when it is closed', async () => {
    collector.answer({ silent: true })
    const transport = new HttpTransport(destination(collector.url), silent)
    const answer = transport.send(REQUEST)
    await collector.received(1)

    transport.close()

    expect(await answer).toMatchObject({ kind: 'retryable' })
  })
})
