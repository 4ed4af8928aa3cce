import { randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@elastic/elasticsearch'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { numberedRequest, postUntilAccepted } from '../../e2e/client.ts'
import { eventually, startSluice } from '../../e2e/sluice.ts'
import { type Certificates, makeCertificates } from '../../servers/certificates.ts'
import { clientTls, type ElasticsearchServer, startElasticsearch } from '../../servers/elasticsearch.ts'
import { freePort } from '../../servers/ports.ts'
import { never, testContext } from '../../support/component.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'
import { startConnectProxy } from './connect-proxy.ts'

const PASSWORD = 'correct horse'
const UNSAFE_KEY = 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=='

const started = new AsyncDisposableStack()
let certificates: Certificates
let server: ElasticsearchServer
let admin: Client

beforeAll(async () => {
  certificates = started.use(await makeCertificates())
  // The smaller one cannot make keys.
  server = started.use(
    await startElasticsearch({ flavor: '9', password: PASSWORD, certificates, heap: '512m' }),
  )
  const auth = { username: 'elastic', password: PASSWORD }
  admin = new Client({ node: server.url, auth, tls: await clientTls(certificates) })
  started.defer(() => admin.close())
  await admin.indices.putIndexTemplate({
    name: 'secured',
    index_patterns: ['logs-secured*'],
    priority: 500,
    data_stream: {},
    template: { settings: { number_of_replicas: 0 } },
  })
})
afterAll(() => started.disposeAsync())

const tls = () => ({
  ca_file: certificates.ca,
  cert_file: certificates.client.cert,
  key_file: certificates.client.key,
})

const newDataset = () => `secured_${randomBytes(4).toString('hex')}`

/** Sends one record to a data stream of its own; resolves with what became of it. */
async function deliver(settings: object, dataset = newDataset()) {
  const context = testContext()
  const parsed = elasticsearch.config.parse({ endpoint: server.url, tls: tls(), ...settings })
  const exporter = elasticsearch.create(parsed, context)
  onTestFinished(() => exporter.stop?.(never))
  const batch = batchOf([{ body: text('x') }], {
    attributes: attributes({ 'data_stream.dataset': text(dataset) }),
  })
  const outcome = await exporter.export(batch, AbortSignal.timeout(20_000)).then(
    () => 'delivered',
    (error: unknown) => error as Error,
  )
  return { outcome, context, exporter, batch }
}

/** A key that may write to the data streams of this file. */
async function writerKey(): Promise<{ id: string; secret: string; encoded: string }> {
  const { id, api_key, encoded } = await admin.security.createApiKey({
    name: 'writer',
    role_descriptors: {
      writer: { indices: [{ names: ['logs-secured*'], privileges: ['create_doc', 'auto_configure'] }] },
    },
  })
  return { id, secret: api_key, encoded }
}

const user = { user: 'elastic', password: PASSWORD }

describe('a real Elasticsearch with certificates', () => {
  it('takes documents from a client that shows its own', async () => {
    expect((await deliver(user)).outcome).toBe('delivered')
  })

  it('takes certificates out of the config as well', async () => {
    const { ca, cert, key } = await clientTls(certificates)
    const { outcome } = await deliver({ ...user, tls: { ca_pem: ca, cert_pem: cert, key_pem: key } })
    expect(outcome).toBe('delivered')
  })

  it.each([
    ['shows none', () => ({ ca_file: certificates.ca }), /certificate required|ECONNRESET|closed|alert/],
    [
      'shows one of a stranger',
      () => {
        const { cert, key } = certificates.stranger
        return { ca_file: certificates.ca, cert_file: cert, key_file: key }
      },
      /certificate|ECONNRESET|closed|alert/,
    ],
    [
      'does not trust its authority',
      () => ({ ...tls(), ca_file: certificates.stranger.cert }),
      /certificate/,
    ],
    ['expects another name', () => ({ ...tls(), server_name_override: 'es.test' }), /es\.test/],
    ['cannot read its own', () => ({ ...tls(), key_file: '/no/such.key' }), /tls.key_file: \/no\/such.key/],
  ])('keeps everything where the client %s', async (_, settings, problem) => {
    const { outcome } = await deliver({ ...user, tls: settings() })
    expect(outcome).toMatchObject({ name: 'RetryableError', reason: 'unreachable' })
    expect((outcome as Error).message).toMatch(problem)
  })

  it('is taken under another name, or under any, where the config says so', async () => {
    const named = await deliver({ ...user, tls: { ...tls(), server_name_override: 'redis.test' } })
    const any = await deliver({
      ...user,
      tls: { ...tls(), ca_file: certificates.stranger.cert, insecure_skip_verify: true },
    })
    expect([named.outcome, any.outcome]).toEqual(['delivered', 'delivered'])
  })

  it('is shown the certificate that the file holds by now', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-certificate-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const own = { cert_file: join(folder, 'cert'), key_file: join(folder, 'key') }
    const put = async ({ cert, key }: { readonly cert: string; readonly key: string }) => {
      await copyFile(cert, own.cert_file)
      await copyFile(key, own.key_file)
    }
    await put(certificates.stranger)
    const { outcome, exporter, batch } = await deliver({ ...user, tls: { ...tls(), ...own } })

    await put(certificates.client)
    await exporter.export(batch, AbortSignal.timeout(20_000))

    expect(outcome).toMatchObject({ reason: 'unreachable' })
  })

  it('is reached by way of a proxy', async () => {
    await using proxy = await startConnectProxy()

    const inside = await deliver({ ...user, proxy_url: `http://me:pass@${proxy.host}` })
    const outside = await deliver({ ...user, proxy_url: `http://me:wrong@${proxy.host}` })

    expect(inside.outcome).toBe('delivered')
    expect(proxy.asked[0]).toBe(`CONNECT ${new URL(server.url).host}`)
    expect((outside.outcome as Error).message).toContain(`the proxy ${proxy.host} answered 407 to CONNECT`)
    expect((outside.outcome as Error).message).not.toContain('wrong')
  })
})

describe('a real Elasticsearch with users and keys', () => {
  it('takes a key, encoded or as id and secret', async () => {
    const { id, secret, encoded } = await writerKey()

    const outcomes = [await deliver({ api_key: encoded }), await deliver({ api_key: `${id}:${secret}` })]

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['delivered', 'delivered'])
  })

  it.each([
    ['a wrong key', { api_key: UNSAFE_KEY }],
    ['a wrong password', { user: 'elastic', password: 'no' }],
    ['nothing', {}],
  ])('keeps everything with %s', async (_, settings) => {
    const { outcome, context } = await deliver(settings)
    expect(outcome).toMatchObject({ name: 'RetryableError', reason: 'unauthorized' })
    expect(context.states.at(-1)?.state).toBe('failed')
  })

  it('keeps what a key may not write', async () => {
    const { encoded } = await writerKey()

    const { outcome, context } = await deliver({ api_key: encoded }, 'forbidden')

    expect(outcome).toMatchObject({ name: 'RetryableError', reason: 'unauthorized', remaining: undefined })
    expect(context.states.at(-1)?.state).toBe('failed')
  })

  it('gets what was buffered under a wrong key once its file holds the right one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-key-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const key = join(folder, 'key')
    await writeFile(key, UNSAFE_KEY)
    const http = await freePort()
    await using sluice = await startSluice({
      config: `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
connectors: { disk: { directory: "${folder}/buffer", linger: 0ms, min_free: "0" } }
exporters:
  elasticsearch:
    endpoint: ${server.url}
    api_key_file: ${key}
    tls: ${JSON.stringify(tls())}
    retry_on_failure: { initial_interval: 100ms, max_interval: 500ms }
service:
  pipelines:
    logs/in: { receivers: [otlp], exporters: [disk] }
    logs/out: { receivers: [disk], exporters: [elasticsearch] }
`,
    })
    const dataset = newDataset()
    await postUntilAccepted(http, numberedRequest(0, 1, dataset).bytes)
    await sluice.line(/unauthorized/)
    const before = await sluice.metrics()

    await writeFile(key, (await writerKey()).encoded)

    await eventually('the record is there', async () => {
      const index = `logs-${dataset}*`
      await admin.indices.refresh({ index })
      return (await admin.count({ index })).count === 1
    })
    expect(before.sum('sluice_buffer_records', { connector: 'disk' })).toBe(1)
    expect((await sluice.metrics()).sum('sluice_dead_letter_log_records_total')).toBe(0)
  })
})
