import { request as httpRequest } from 'node:http'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { AuthenticationError, type Authenticator, RetryableError } from '../../../src/component.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { firstEnvelope } from '../../../src/logs/envelope.ts'
import { LEN } from '../../../src/logs/wire.ts'
import { WireWriter } from '../../../src/logs/wire-writer.ts'
import { documentsOf } from '../../support/otlp.ts'
import { makeRequest } from '../../support/requests.ts'
import { type Guarded, serveGuarded, tokens } from './guarded.ts'
import { EXPORT, gate, IMPLEMENTATIONS, PROTOBUF, rawCall, retryDelayOf, statusOf } from './harness.ts'

interface Answer {
  readonly code: number
  readonly message: string
  readonly details: Buffer | undefined
}

function grpc({ port }: Guarded, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const client = new Client(`127.0.0.1:${port('grpc')}`, credentials.createInsecure())
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const asItIs = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve) => {
    client.makeUnaryRequest(EXPORT, asItIs, asItIs, body, metadata, (error: ServiceError | null) => {
      client.close()
      const detail = error?.metadata.get('grpc-status-details-bin')[0]
      resolve({
        code: error?.code ?? 0,
        message: error?.details ?? '',
        details: Buffer.isBuffer(detail) ? detail : undefined,
      })
    })
  })
}

function post({ port }: Guarded, body: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port('http')}/v1/logs`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': PROTOBUF, ...headers },
  })
}

/** The tenant that a batch carries through a buffer. */
function tenantOf(batch: LogBatch): string | undefined {
  batch.identify(Buffer.alloc(32))
  return firstEnvelope(batch.encode(1e9)[0].bytes).tenant
}

const as = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const request = makeRequest({ records: 3 })

describe.each(IMPLEMENTATIONS)('an otlp receiver with an authenticator, gRPC by %s', (implementation) => {
  it('takes requests of senders that are known, and tells their tenant', async () => {
    const guarded = await serveGuarded({ implementation, authenticator: tokens() })

    expect((await grpc(guarded, request, as('one'))).code).toBe(0)
    expect((await post(guarded, request, as('two'))).status).toBe(200)
    expect((await post(guarded, request, as('none'))).status).toBe(200)

    expect(guarded.batches.map(tenantOf)).toEqual(['one', 'two', undefined])
  })

  it('turns others away, counts them, and repeats nothing of what they sent', async () => {
    const guarded = await serveGuarded({ implementation, authenticator: tokens() })

    const refusals = [await grpc(guarded, request), await grpc(guarded, request, as('guess'))]
    const answers = [await post(guarded, request), await post(guarded, request, as('guess'))]

    expect(refusals.map(({ code }) => code)).toEqual([16, 16])
    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect(answers.map(({ headers }) => headers.get('www-authenticate'))).toEqual(['Bearer', 'Bearer'])
    const status = statusOf(Buffer.from(await answers[1].arrayBuffer()))
    expect(status).toMatchObject({ code: 16, message: 'the token is not known' })
    expect(refusals[1].message).toBe('the token is not known')
    expect(guarded.batches).toEqual([])
    for (const transport of ['grpc', 'http']) {
      const labels = { transport, reason: 'unauthenticated' }
      expect(await guarded.context.value('sluice_receiver_rejected_requests_total', labels)).toBe(2)
    }
  })

  it('answers who is known but not allowed with 403, and asks to send again while nobody can say', async () => {
    const authenticator: Authenticator = {
      authenticate: ({ authorization }) => {
        if (authorization === 'later')
          throw new RetryableError('nobody can say', { reason: 'auth_unavailable' })
        return Promise.reject(new AuthenticationError('forbidden', 'not you', 'Bearer'))
      },
    }
    const guarded = await serveGuarded({ implementation, authenticator })

    expect(await grpc(guarded, request)).toMatchObject({ code: 7, message: 'not you' })
    expect((await post(guarded, request)).status).toBe(403)
    expect(await grpc(guarded, request, { authorization: 'later' })).toMatchObject({ code: 14 })
    const later = await post(guarded, request, { authorization: 'later' })
    expect([later.status, later.headers.get('retry-after')]).toEqual([503, '1'])
  })

  it('holds a request back until it is known who sends', async () => {
    const known = gate()
    const authenticator: Authenticator = {
      authenticate: async () => {
        await known.opened
        return { subject: 'slow', tenant: 'slow' }
      },
    }
    const guarded = await serveGuarded({ implementation, authenticator })
    const answers = [grpc(guarded, request), post(guarded, request)]

    known.open()

    expect(await Promise.all(answers)).toMatchObject([{ code: 0 }, { status: 200 }])
    expect(guarded.batches.map(tenantOf)).toEqual(['slow', 'slow'])
  })

  it('turns a gRPC call away before its message has come', async () => {
    const guarded = await serveGuarded({ implementation, authenticator: tokens() })

    const { answer, session } = rawCall(guarded.port('grpc'))
    expect(await answer).toMatchObject({ 'grpc-status': '16' })

    session.destroy()
  })
})

describe('an otlp receiver with an authenticator', () => {
  it('answers a request over HTTP before its body has come', async () => {
    const { port } = await serveGuarded({ authenticator: tokens() })
    const headers = { 'content-type': PROTOBUF, 'content-length': 1_000_000 }

    const status = await new Promise((resolve, reject) => {
      const call = httpRequest(
        { port: port('http'), method: 'POST', path: '/v1/logs', headers },
        (answer) => {
          resolve(answer.statusCode)
          call.destroy()
        },
      )
      call.on('error', reject)
      call.flushHeaders()
    })

    expect(status).toBe(401)
  })

  it('does not believe a tenant that the request names itself', async () => {
    const guarded = await serveGuarded({ authenticator: tokens() })
    const writer = new WireWriter()
    const envelope = writer.open((2000 << 3) | LEN)
    writer.text((9 << 3) | LEN, 'chosen')
    writer.close(envelope)
    const forged = Buffer.concat([writer.take(), request])

    await post(guarded, forged, { ...as('none'), 'x-tenant': 'chosen' })
    await post(guarded, forged, as('one'))

    expect(guarded.batches.map(tenantOf)).toEqual([undefined, 'one'])
  })

  it('writes the tenant to a resource attribute, in place of what the client says there', async () => {
    const more = { tenant: { attribute: 'service.name' } }
    const guarded = await serveGuarded({ authenticator: tokens(), more })

    await post(guarded, makeRequest({ records: 2, service: 'chosen' }), as('one'))
    await post(guarded, makeRequest({ records: 1, service: 'chosen' }), as('none'))

    const resources = guarded.batches.map((batch) => documentsOf(batch)[0].resource.attributes)
    expect(resources).toEqual([{ 'service.name': 'one' }, {}])
  })
})

describe.each(IMPLEMENTATIONS)('the rate limits of an otlp receiver, gRPC by %s', (implementation) => {
  const limited = (rate: object, more: object = {}) =>
    serveGuarded({
      implementation,
      authenticator: tokens(),
      more: { rate_limits: { default: { ...rate, burst: '1h' }, ...more } },
    })

  it('count requests, and say when to send again', async () => {
    const guarded = await limited({ requests: 2 / 3600 })

    const codes = [await grpc(guarded, request, as('one')), await grpc(guarded, request, as('one'))]
    expect(codes.map(({ code }) => code)).toEqual([0, 0])
    const { code, details = Buffer.alloc(0) } = await grpc(guarded, request, as('one'))
    const over = await post(guarded, request, as('one'))

    expect(code).toBe(8)
    expect(retryDelayOf(statusOf(details).details.get('RetryInfo') ?? Buffer.alloc(0))).toBe(9000)
    expect([over.status, over.headers.get('retry-after')]).toEqual([429, '9'])
    expect(
      await guarded.context.value('sluice_receiver_rate_limited_requests_total', {
        tenant: 'one',
        limit: 'requests',
      }),
    ).toBe(2)
    expect(await guarded.context.value('otelcol_receiver_requests', { outcome: 'refused' })).toBe(2)
  })

  it('count records, after they have been read', async () => {
    const guarded = await limited({ records: 7 / 3600 })

    const codes = []
    for (let i = 0; i < 3; i++) codes.push((await grpc(guarded, request, as('one'))).code)

    expect(codes).toEqual([0, 0, 8])
    expect(guarded.batches).toHaveLength(2)
  })

  it('count bytes, whether or not their number was announced', async () => {
    const guarded = await serveGuarded({
      implementation,
      authenticator: tokens(),
      more: { rate_limits: { default: { bytes: request.length, burst: '1ms' } } },
    })
    const large = makeRequest({ records: 3000 })
    const body = new Blob([new Uint8Array(large)]).stream()
    const headers = { 'content-type': PROTOBUF, ...as('two') }
    const url = `http://127.0.0.1:${guarded.port('http')}/v1/logs`

    // What is larger than the bucket goes through once, and takes long to make up for.
    expect((await grpc(guarded, large, as('one'))).code).toBe(0)
    expect((await fetch(url, { method: 'POST', body, headers, duplex: 'half' })).status).toBe(200)

    expect((await post(guarded, request, as('one'))).status).toBe(429)
    expect((await grpc(guarded, request, as('two'))).code).toBe(8)
    expect((await post(guarded, request, as('none'))).status).toBe(200)
  })

  it('let one tenant send whatever another is over its limit by', async () => {
    const guarded = await limited({ requests: 5 / 3600 })
    const send = (tenant: string): Promise<Answer> => grpc(guarded, request, as(tenant))

    const flood = await Promise.all(Array.from({ length: 50 }, () => send('one')))
    const others = await Promise.all(Array.from({ length: 5 }, () => send('two')))

    expect(flood.filter(({ code }) => code === 0)).toHaveLength(5)
    expect(others.filter(({ code }) => code === 0)).toHaveLength(5)
  })

  it('have numbers of their own for tenants that are named, and none without a default', async () => {
    const limits = { tenants: { one: { requests: 1 / 3600, burst: '1h' } } }
    const guarded = await serveGuarded({
      implementation,
      authenticator: tokens(),
      more: { rate_limits: limits },
    })
    const codes = async (token: string): Promise<number[]> => [
      (await grpc(guarded, request, as(token))).code,
      (await grpc(guarded, request, as(token))).code,
    ]

    expect(await codes('one')).toEqual([0, 8])
    expect(await codes('two')).toEqual([0, 0])
    expect(await codes('none')).toEqual([0, 0])
  })
})
