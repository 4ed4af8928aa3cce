import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Certificates, makeCertificates } from '../../../test/servers/certificates.ts'
import type { Answer } from '../../src/transport/answer.ts'
import { createTransport } from '../../src/transport/create.ts'
import type { TlsFiles } from '../../src/transport/destination.ts'
import { type Collector, startGrpcCollector, startHttpCollector } from '../pipe/kit/collector.ts'
import { destination, NO_TLS } from '../pipe/kit/options.ts'
import { requestOf } from '../pipe/kit/records.ts'

const REQUEST = requestOf(1)

describe.each([
  ['grpc', startGrpcCollector],
  ['http/protobuf', startHttpCollector],
] as const)('TLS of %s', (protocol, startCollector) => {
  let certificates: Certificates
  let collector: Collector

  /** A collector that asks its clients who they are. */
  beforeAll(async () => {
    certificates = await makeCertificates()
    const { ca, server } = certificates
    const tls = { ca: readFileSync(ca), key: readFileSync(server.key), cert: readFileSync(server.cert) }
    collector = await startCollector({ tls })
  })

  afterAll(async () => {
    await collector?.[Symbol.asyncDispose]()
    await certificates?.[Symbol.asyncDispose]()
  })

  const send = async (tls: Partial<TlsFiles>): Promise<Answer> => {
    const transport = createTransport(destination(collector.url, { protocol, tls: { ...NO_TLS, ...tls } }), {
      warn() {},
    })
    try {
      return await transport.send(REQUEST)
    } finally {
      transport.close()
    }
  }

  it('trusts the authority that it is told of, and shows its own certificate', async () => {
    const { ca, client } = certificates

    const answer = await send({ certificate: ca, clientKey: client.key, clientCertificate: client.cert })

    expect(answer).toMatchObject({ kind: 'taken' })
    expect(collector.requests).toEqual([REQUEST])
  })

  it('is not enough without a certificate of its own', async () => {
    expect(await send({ certificate: certificates.ca })).toMatchObject({ kind: 'retryable' })
  })

  it('does not trust whoever answers', async () => {
    expect(await send({})).toMatchObject({ kind: 'retryable' })
  })

  it('says which file cannot be read', async () => {
    expect(await send({ certificate: '/nowhere/ca.pem' })).toMatchObject({
      kind: 'retryable',
      message: expect.stringContaining('/nowhere/ca.pem'),
    })
  })
})
