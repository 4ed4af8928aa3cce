import { once } from 'node:events'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { credentials, Metadata } from '@grpc/grpc-js'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { otlp } from '../../../receivers/otlp/index.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { firstEnvelope } from '../../../src/logs/envelope.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { type Certificates, makeCertificates } from '../../servers/certificates.ts'
import { makeRequest } from '../../support/requests.ts'
import { type Guarded, serveGuarded, tokens } from './guarded.ts'
import { IMPLEMENTATIONS, PROTOBUF } from './harness.ts'

let ours: Certificates
let others: Certificates

beforeAll(async () => {
  ;[ours, others] = await Promise.all([makeCertificates(), makeCertificates()])
})
afterAll(async () => {
  await ours[Symbol.asyncDispose]()
  await others[Symbol.asyncDispose]()
})

const tls = (more: object = {}): object => ({
  tls: { cert_file: ours.server.cert, key_file: ours.server.key, ...more },
})
const mutual = (): object => tls({ client_ca_file: ours.ca })
/** In the words of OpenSSL, or of a socket that the other side has closed. */
const NO_CONNECTION = /alert|certificate|protocol|cipher|ECONNRESET|hang up|disconnected/i
const request = makeRequest({ records: 3 })

function tenantOf(batch: LogBatch): string | undefined {
  batch.identify(Buffer.alloc(32))
  return firstEnvelope(batch.encode(1e9)[0].bytes).tenant
}

interface Pem {
  readonly ca: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

async function pem(client?: { readonly cert: string; readonly key: string }): Promise<Pem> {
  const ca = await readFile(ours.ca)
  return client ? { ca, cert: await readFile(client.cert), key: await readFile(client.key) } : { ca }
}

/** Posts over a connection of its own, or one that an agent keeps. Rejects where there is no connection. */
function post({ port }: Guarded, options: Pem & { readonly agent?: Agent }): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      {
        host: '127.0.0.1',
        port: port('http'),
        method: 'POST',
        path: '/v1/logs',
        headers: { 'content-type': PROTOBUF },
        ...options,
      },
      (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    call.once('error', reject)
    call.end(request)
  })
}

async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

const exporters: Readonly<
  Record<string, (guarded: Guarded, client: Pem, token: string) => LogRecordExporter>
> = {
  grpc: ({ port }, { ca, key, cert }, token) => {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${token}`)
    return new GrpcExporter({
      url: `https://127.0.0.1:${port('grpc')}`,
      credentials: credentials.createSsl(ca, key ?? null, cert ?? null),
      metadata,
    })
  },
  json: ({ port }, httpAgentOptions, token) =>
    new JsonExporter({
      url: `https://127.0.0.1:${port('http')}/v1/logs`,
      headers: { authorization: `Bearer ${token}` },
      httpAgentOptions,
    }),
  protobuf: ({ port }, httpAgentOptions, token) =>
    new ProtobufExporter({
      url: `https://127.0.0.1:${port('http')}/v1/logs`,
      headers: { authorization: `Bearer ${token}` },
      httpAgentOptions,
    }),
}

async function send(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] })
  provider.getLogger('test').emit({ body: 'hello' })
  await provider.shutdown()
}

describe.each(IMPLEMENTATIONS)('an otlp receiver over TLS, gRPC by %s', (implementation) => {
  for (const [name, make] of Object.entries(exporters)) {
    it(`takes what the OpenTelemetry SDK sends by ${name} with a token`, async () => {
      const guarded = await serveGuarded({ implementation, both: tls(), authenticator: tokens() })

      await send(make(guarded, await pem(), 'one'))

      expect(guarded.batches.map(tenantOf)).toEqual(['one'])
    })

    it(`takes what the OpenTelemetry SDK sends by ${name} with a certificate, whose name is the tenant`, async () => {
      const more = { tenant: { from: 'certificate_cn' } }
      const guarded = await serveGuarded({ implementation, both: mutual(), more })

      await send(make(guarded, await pem(ours.client), 'unasked'))

      expect(guarded.batches.map(tenantOf)).toEqual(['client'])
    })
  }

  it('takes the first alternative name of a certificate for the tenant', async () => {
    const more = { tenant: { from: 'certificate_san' } }
    const guarded = await serveGuarded({ implementation, both: mutual(), more })

    await send(exporters.grpc(guarded, await pem(ours.client), ''))
    expect(await post(guarded, await pem(ours.client))).toBe(200)

    expect(guarded.batches.map(tenantOf)).toEqual(['redis.test', 'redis.test'])
  })

  it('has nothing to do with clients whose certificate nobody vouches for, or that have none', async () => {
    const guarded = await serveGuarded({ implementation, both: mutual() })

    await expect(post(guarded, await pem())).rejects.toThrow(NO_CONNECTION)
    await expect(post(guarded, await pem(ours.stranger))).rejects.toThrow(NO_CONNECTION)
    await expect(post(guarded, await pem(others.client))).rejects.toThrow(NO_CONNECTION)

    expect(await post(guarded, await pem(ours.client))).toBe(200)
    await vi.waitFor(async () =>
      expect(await guarded.context.value('sluice_tls_handshake_failures_total')).toBe(3),
    )
  })

  it('takes new certificates for new connections, and drops none that are open', async () => {
    const folder = await temporaryFolder('reload')
    onTestFinished(() => folder.remove())
    const files = { cert_file: join(folder.path, 'crt'), key_file: join(folder.path, 'key') }
    const client_ca_file = join(folder.path, 'ca')
    const install = async (certificates: Certificates): Promise<void> => {
      await copyFile(certificates.ca, client_ca_file)
      await copyFile(certificates.server.cert, files.cert_file)
      await copyFile(certificates.server.key, files.key_file)
    }
    await install(ours)
    const both = { tls: { ...files, client_ca_file, reload_interval: '20ms' } }
    const guarded = await serveGuarded({ implementation, both })
    const { context } = guarded
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const http2 = connectHttp2(`https://127.0.0.1:${guarded.port('grpc')}`, await pem(ours.client))
    onTestFinished(() => http2.destroy())
    const ping = (): Promise<void> =>
      new Promise((resolve, reject) => {
        http2.ping((error) => (error ? reject(error) : resolve()))
      })
    await once(http2, 'connect')
    const before = { ...(await pem(ours.client)), agent }
    expect(await post(guarded, before)).toBe(200)

    await install(others)
    const reloaded = async (): Promise<number> =>
      context.value('sluice_file_reloads_total', { outcome: 'success' })
    const after = {
      ca: await readFile(others.ca),
      cert: await readFile(others.client.cert),
      key: await readFile(others.client.key),
    }
    await vi.waitFor(async () => {
      expect(await reloaded()).toBeGreaterThanOrEqual(2)
      expect(context.states.at(-1)?.state ?? 'ok').toBe('ok')
      for (const protocol of ['grpc', 'http'] as const)
        await handshake(guarded.port(protocol), { ...after, ALPNProtocols: ['h2', 'http/1.1'] })
    }, 5000)

    // The connections of before are still the same ones.
    expect(await post(guarded, before)).toBe(200)
    await ping()
    await expect(post(guarded, await pem(ours.client))).rejects.toThrow(NO_CONNECTION)
    expect(await post(guarded, after)).toBe(200)
  })

  it('keeps what it has when a new file is broken, and says so', async () => {
    const folder = await temporaryFolder('broken')
    onTestFinished(() => folder.remove())
    const key_file = join(folder.path, 'key')
    await copyFile(ours.server.key, key_file)
    const both = tls({ key_file, reload_interval: '20ms' })
    const guarded = await serveGuarded({ implementation, both })
    const { context } = guarded

    await copyFile(others.server.key, key_file)
    await vi.waitFor(() => expect(context.states.at(-1)?.state).toBe('degraded'), 5000)
    expect(context.states.at(-1)?.detail).toContain('tls.key_file: does not fit the certificate')
    await vi.waitFor(async () =>
      expect(await context.value('sluice_file_reloads_total', { outcome: 'failure' })).toBe(2),
    )
    expect(await post(guarded, await pem())).toBe(200)

    await copyFile(ours.server.key, key_file)
    await vi.waitFor(() => expect(context.states.at(-1)?.state).toBe('ok'), 5000)
  })
})

describe('an otlp receiver over TLS', () => {
  it('agrees on the versions and suites that the config allows', async () => {
    const cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']
    const { port } = await serveGuarded({ both: tls({ cipher_suites }) })
    const ca = await readFile(ours.ca)
    const protocol = async (options: ConnectionOptions): Promise<string | null> =>
      (await handshake(port('http'), { ca, ...options })).getProtocol()

    expect(await protocol({})).toBe('TLSv1.3')
    expect(await protocol({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2')
    await expect(
      protocol({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    ).rejects.toThrow(NO_CONNECTION)
    await expect(
      protocol({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(NO_CONNECTION)
    const strict = await serveGuarded({ both: tls({ min_version: '1.3' }) })
    await expect(handshake(strict.port('grpc'), { ca, maxVersion: 'TLSv1.2' })).rejects.toThrow(NO_CONNECTION)
  })

  it.each([
    [
      'a file that is not there',
      { cert_file: '/nowhere' },
      'tls.cert_file: /nowhere cannot be read (ENOENT)',
    ],
    ['a key of another certificate', { key_file: 'other' }, 'tls.key_file: does not fit the certificate'],
    [
      'a file without a certificate',
      { client_ca_file: 'empty' },
      'tls.client_ca_file: holds no certificate in PEM',
    ],
    ['a file without a key', { key_file: 'empty' }, 'tls.key_file: holds no key in PEM'],
  ])('does not start with %s', async (_, settings, message) => {
    const folder = await temporaryFolder('wrong')
    onTestFinished(() => folder.remove())
    const empty = join(folder.path, 'empty')
    await writeFile(empty, 'nothing\n')
    const paths: Record<string, string> = { other: others.server.key, empty }
    const real = Object.entries(settings).map(([name, path]) => [name, paths[path] ?? path])

    await expect(serveGuarded({ both: tls(Object.fromEntries(real)) })).rejects.toThrow(message)
  })

  it.each([
    [{ cert_file: 'a' }, ['key_file'], 'is needed: a server has a certificate and its key'],
    [{ cert_file: 'a', cert_pem: 'b', key_file: 'c' }, ['cert_pem'], 'cannot be set together with cert_file'],
    [
      { cert_file: 'a', key_file: 'c', min_version: '1.3', max_version: '1.2' },
      ['max_version'],
      'is below min_version',
    ],
    [{ cert_file: 'a', key_file: 'c', min_version: '1.1' }, ['min_version'], undefined],
  ])('has settings that fit: not %j', (settings, path, message) => {
    const { error } = otlp.config.safeParse({ protocols: { http: { tls: settings } } })
    expect(error?.issues[0]).toMatchObject({
      path: ['protocols', 'http', 'tls', ...path],
      ...(message && { message }),
    })
  })

  it('takes a tenant from certificates only where clients show them', () => {
    const protocols = { http: { tls: { cert_file: 'a', key_file: 'b' } } }
    const { error } = otlp.config.safeParse({ protocols, tenant: { from: 'certificate_cn' } })
    expect(error?.issues[0]).toMatchObject({
      path: ['tenant', 'from'],
      message: 'needs protocols.http.tls.client_ca_file: without it clients show no certificate',
    })
  })
})
