import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { makeRequest } from '../../support/requests.ts'
import { create, fieldsOf, gate, PROTOBUF, serve, statusOf } from './harness.ts'

const JSON_TYPE = 'application/json'

describe('OTLP/HTTP', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
    ['identity', (bytes: Buffer) => bytes],
    ['GZIP', gzipSync],
  ] as const)('takes bodies with Content-Encoding %s', async (encoding, compress) => {
    const { post, batches } = await serve()
    const bytes = makeRequest({ records: 500 })
    expect(await post(compress(bytes), { 'content-encoding': encoding })).toMatchObject({ status: 200 })
    expect(batches[0].data.bytes.equals(bytes)).toBe(true)
  })

  it('takes every frame of a zstd body, and every member of a gzip body', async () => {
    const { post, batches } = await serve()
    const [first, second] = [makeRequest({ records: 2 }), makeRequest({ records: 3 })]
    // Requests merge by putting their bytes one after the other.
    const zstd = Buffer.concat([zstdCompressSync(first), zstdCompressSync(second)])
    await post(zstd, { 'content-encoding': 'zstd' })
    await post(Buffer.concat([gzipSync(first), gzipSync(second)]), { 'content-encoding': 'gzip' })
    // The length that a gzip ends with is that of its last member only.
    const large = makeRequest({ records: 5, body: () => 'x'.repeat(700_000) })
    await post(Buffer.concat([gzipSync(large), gzipSync('')]), { 'content-encoding': 'gzip' })
    expect(batches.map(({ size }) => size)).toEqual([5, 5, 5])
  })

  it('reads JSON and protobuf of the same request as the same batch', async () => {
    const { post, batches } = await serve()
    const json = JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeLogs: [
            {
              logRecords: [0, 1].map((i) => ({
                timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(i)),
                severityNumber: 'SEVERITY_NUMBER_INFO',
                body: { stringValue: `record ${i}` },
              })),
            },
          ],
        },
      ],
    })
    expect((await post(json, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200)
    expect(
      (await post(gzipSync(json), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' })).status,
    ).toBe(200)
    expect((await post(makeRequest({ records: 2 }), { 'content-type': `${PROTOBUF}; a=b` })).status).toBe(200)

    const [fromJson, fromGzip, fromProtobuf] = batches
    expect(fromJson.data.bytes).toEqual(fromProtobuf.data.bytes)
    expect(fromGzip.data.bytes).toEqual(fromProtobuf.data.bytes)
    expect(fromJson.data.structure).toEqual(fromProtobuf.data.structure)
  })

  it('serves several requests on one connection, also after one it refused in the middle', async () => {
    const { receiver, batches } = await serve(undefined, {
      http: { endpoint: '127.0.0.1:0', max_request_body_size: '1MiB' },
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const send = async (body: Buffer, headers: object): Promise<number | undefined> => {
      const request = httpRequest({
        agent,
        port: receiver.port('http'),
        method: 'POST',
        path: '/v1/logs',
        headers: { 'content-type': PROTOBUF, ...headers },
      })
      request.end(body)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      ports.add(request.socket?.localPort)
      return response.statusCode
    }
    const ports = new Set<number | undefined>()
    const statuses: (number | undefined)[] = []
    for (const [body, headers] of [
      [makeRequest({ records: 1 }), {}],
      [Buffer.alloc(8 * 1024 * 1024), {}],
      [Buffer.alloc(8 * 1024 * 1024), { 'transfer-encoding': 'chunked' }],
      [makeRequest({ records: 2 }), {}],
    ] as const) {
      statuses.push(await send(body, headers))
    }
    agent.destroy()
    expect(statuses).toEqual([200, 413, 413, 200])
    expect(ports.size).toBe(1)
    expect(batches.map(({ size }) => size)).toEqual([1, 2])
  })

  it('finishes the push of a client that goes away', async () => {
    const pushed = gate()
    const finish = gate()
    const finished = gate()
    const { url, context } = await serve(async (_, signal) => {
      pushed.open()
      await finish.opened
      signal.throwIfAborted()
      finished.open()
    })
    const client = new AbortController()
    const answer = fetch(url(), {
      method: 'POST',
      body: Buffer.from(makeRequest({ records: 4 })),
      headers: { 'content-type': PROTOBUF },
      signal: client.signal,
    })
    await pushed.opened
    client.abort()
    await expect(answer).rejects.toThrow('aborted')

    finish.open()
    await finished.opened

    await expect.poll(() => context.value('otelcol_receiver_accepted_log_records')).toBe(4)
  })

  it('counts a client that goes away before its request is complete', async () => {
    const { receiver, context, batches } = await serve()
    const request = httpRequest({
      port: receiver.port('http'),
      method: 'POST',
      path: '/v1/logs',
      headers: { 'content-type': PROTOBUF, 'content-length': '1000', expect: '100-continue' },
    })
    request.on('error', () => {})
    request.flushHeaders()
    await once(request, 'continue')
    request.destroy()
    await expect
      .poll(() => context.value('sluice_receiver_rejected_requests_total', { reason: 'disconnected' }))
      .toBe(1)
    expect(batches).toEqual([])
  })
})

describe('OTLP/HTTP refuses', () => {
  it.each([
    ['another path', '/v1/traces', {}, 404, 12, 'there is nothing here; logs go to /v1/logs', 'not_found'],
    ['another method', '/v1/logs', { method: 'PUT' }, 405, 12, 'logs are sent with POST, not PUT', 'method'],
    [
      'another encoding',
      '/v1/logs?a=b',
      { headers: { 'content-type': PROTOBUF, 'content-encoding': 'br' } },
      415,
      3,
      'the Content-Encoding is none of gzip, deflate, zstd, zlib and identity',
      'content_encoding',
    ],
    [
      'a chain of encodings',
      '/v1/logs',
      { headers: { 'content-type': PROTOBUF, 'content-encoding': 'gzip, gzip' } },
      415,
      3,
      'the Content-Encoding is none of gzip, deflate, zstd, zlib and identity',
      'content_encoding',
    ],
  ] as const)('%s', async (_, path, init, status, code, message, reason) => {
    const { url, context, batches } = await serve()
    const response = await fetch(url(path), {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: Buffer.from(makeRequest({ records: 1 })),
      ...init,
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([status, PROTOBUF])
    expect(statusOf(Buffer.from(await response.arrayBuffer()))).toMatchObject({ code, message })
    expect(
      await context.value('sluice_receiver_rejected_requests_total', { transport: 'http', reason }),
    ).toBe(1)
    expect(await context.value('otelcol_receiver_requests', { outcome: 'failure' })).toBe(1)
    expect(batches).toEqual([])
  })

  it.each(['text/plain', 'application/jsonp', ''])('another content type: %j', async (type) => {
    const { url } = await serve()
    const response = await fetch(url(), {
      method: 'POST',
      body: Buffer.from('{}'),
      headers: { 'content-type': type },
    })
    expect([response.status, response.headers.get('accept')]).toEqual([
      415,
      'application/x-protobuf, application/json',
    ])
    expect(await response.json()).toMatchObject({
      code: 3,
      message: 'the Content-Type is neither application/x-protobuf nor application/json',
    })
  })

  it('GET, and says what is allowed', async () => {
    const { url } = await serve()
    const response = await fetch(url())
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await response.json()).toMatchObject({ message: 'logs are sent with POST, not GET' })
  })

  it('JSON errors in JSON, with the path in the message and in BadRequest', async () => {
    const { post } = await serve()
    const answer = await post('{"resourceLogs":[{"scopeLogs":{}}]}', { 'content-type': JSON_TYPE })
    const message = 'resourceLogs[0].scopeLogs: expected an array'
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, JSON_TYPE])
    expect(JSON.parse(answer.body.toString())).toEqual({
      code: 3,
      message,
      details: [
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ description: message }] },
      ],
    })
  })

  it('protobuf errors in protobuf, with BadRequest', async () => {
    const { post } = await serve()
    const { status, body } = await post(Buffer.from([0x0a, 0x05]))
    const { message, details } = statusOf(body)
    expect(status).toBe(400)
    expect(message).toBe('a length of 5 bytes runs past the 0 that are left, at byte 2')
    const violation = fieldsOf(fieldsOf(details.get('BadRequest') as Buffer).get(1)?.[0] as Buffer)
    expect(String(violation.get(2)?.[0])).toBe(message)
  })

  it.each([
    ['gzip', Buffer.from('not gzip'), 'the body is not valid gzip (Z_DATA_ERROR)'],
    [
      'gzip',
      gzipSync(makeRequest({ records: 9 })).subarray(0, -9),
      'the body is not valid gzip (Z_BUF_ERROR)',
    ],
    ['deflate', Buffer.from('not deflate'), 'the body is not valid deflate (Z_DATA_ERROR)'],
    [
      'zstd',
      zstdCompressSync(makeRequest({ records: 9 })).subarray(0, -1),
      'the body is not valid zstd (Z_BUF_ERROR)',
    ],
    [
      'zstd',
      zstdCompressSync(Buffer.alloc(20_000_000, 'ab'), { params: { [constants.ZSTD_c_windowLog]: 27 } }),
      'the body is not valid zstd (ZSTD_error_frameParameter_windowTooLarge)',
    ],
    [
      'zstd',
      Buffer.concat(Array.from({ length: 101 }, () => zstdCompressSync(''))),
      'the body has more than 100 zstd frames',
    ],
  ])('%s that cannot be decompressed: %#', async (encoding, body, message) => {
    const { post } = await serve()
    const answer = await post(body, { 'content-encoding': encoding })
    expect([answer.status, statusOf(answer.body).message]).toEqual([400, message])
  })

  it('does not listen where only gRPC is on', async () => {
    const { receiver } = create(undefined, { grpc: { endpoint: '127.0.0.1:0' } })
    await receiver.start()
    expect(receiver.port('http')).toBeUndefined()
    expect(receiver.port('grpc')).toBeGreaterThan(0)
  })
})
