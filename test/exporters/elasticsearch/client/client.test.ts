import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Client } from '../../../../exporters/elasticsearch/client/client.ts'
import { sniff } from '../../../../exporters/elasticsearch/client/sniffer.ts'
import { config } from '../../../../exporters/elasticsearch/config.ts'
import { freePort } from '../../../servers/ports.ts'
import { never, testContext } from '../../../support/component.ts'
import { startConnectProxy } from '../connect-proxy.ts'
import { type Stub, type StubAnswer, startStub } from '../stub.ts'

const BULK = { method: 'POST', path: '/_bulk', body: Buffer.from('{}\n') } as const
const UP = 'sluice_elasticsearch_node_up'

afterEach(() => {
  vi.useRealTimers()
})

function clientFor(settings: object, patience = 5000) {
  const context = testContext()
  const client = new Client(config.parse(settings), { ...context, patience })
  onTestFinished(() => client.close())
  return { client, context }
}

/** A node whose answer to bulks a test may change. Others, the questions whether it is up, have no effect. */
async function startNode(name: string): Promise<Stub & { says: StubAnswer | undefined; bulks(): number }> {
  const node = { says: { body: { name } } as StubAnswer | undefined }
  const stub = await startStub(() => node.says)
  onTestFinished(() => stub[Symbol.asyncDispose]())
  return Object.assign(node, stub, {
    bulks: () => stub.seen.filter(({ method }) => method === 'POST').length,
  })
}

describe('several nodes', () => {
  it('take turns', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')]
    const { client } = clientFor({ endpoints: [a.url, b.url] })

    for (let i = 0; i < 4; i++) await client.send(BULK, never)

    expect([a.bulks(), b.bulks()]).toEqual([2, 2])
  })

  it('stand in for one that cannot be reached, which is then left out', async () => {
    const b = await startNode('b')
    const gone = `127.0.0.1:${await freePort()}`
    const { client, context } = clientFor({ endpoints: [`http://${gone}`, b.url] })

    for (let i = 0; i < 4; i++) expect((await client.send(BULK, never)).node).toBe(b.host)

    expect(await context.value(UP, { node: gone })).toBe(0)
    expect(await context.value(UP, { node: b.host })).toBe(1)
  })

  it.each([502, 503, 504])('stand in for one that answers %d', async (status) => {
    const [a, b] = [await startNode('a'), await startNode('b')]
    a.says = { status }
    const { client, context } = clientFor({ endpoints: [a.url, b.url] })

    for (let i = 0; i < 3; i++) expect((await client.send(BULK, never)).status).toBe(200)

    expect([a.bulks(), b.bulks()]).toEqual([1, 3])
    expect(await context.value(UP, { node: a.host })).toBe(0)
  })

  it('stand in for one that hangs, before the time of the request is up', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')]
    a.says = undefined
    const { client } = clientFor({ endpoints: [a.url, b.url] }, 1000)

    const { node } = await client.send(BULK, AbortSignal.timeout(60_000))

    expect(node).toBe(b.host)
  })

  it('leave alone one that asks for it, and give others no share of that', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')]
    a.says = { status: 429 }
    const { client, context } = clientFor({ endpoints: [a.url, b.url] })

    const statuses = [await client.send(BULK, never), await client.send(BULK, never)].map(
      ({ status }) => status,
    )

    expect(statuses).toEqual([429, 200])
    expect(await context.value(UP, { node: a.host })).toBe(1)
  })

  it('have one back that answers again, after it was asked', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const [a, b] = [await startNode('a'), await startNode('b')]
    a.says = { status: 503 }
    const { client, context } = clientFor({ endpoints: [a.url, b.url] })
    await client.send(BULK, never)

    vi.advanceTimersByTime(1000)
    for (let i = 0; i < 2; i++) await client.send(BULK, never)
    const whileDown = a.seen.map(({ method }) => method)
    a.says = {}
    vi.advanceTimersByTime(2000)
    for (let i = 0; i < 2; i++) await client.send(BULK, never)

    // No second bulk is at stake while it is down.
    expect(whileDown).toEqual(['POST', 'HEAD'])
    expect(a.seen.map(({ method }) => method).slice(2)).toEqual(['HEAD', 'POST'])
    expect(await context.value(UP, { node: a.host })).toBe(1)
  })

  it('are tried each, and none is forgotten, when all are down', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')]
    a.says = b.says = { status: 503 }
    const { client } = clientFor({ endpoints: [a.url, b.url] })

    expect((await client.send(BULK, never)).status).toBe(503)
    expect([a.bulks(), b.bulks()]).toEqual([1, 1])
    a.says = b.says = {}

    expect((await client.send(BULK, never)).status).toBe(200)
  })

  it('are not to blame when the caller has had enough', async () => {
    const a = await startNode('a')
    a.says = undefined
    const { client, context } = clientFor({ endpoint: a.url })
    const stopping = new AbortController()

    const sending = client.send(BULK, stopping.signal)
    await vi.waitFor(() => expect(a.bulks()).toBe(1))
    stopping.abort(new Error('stopping'))

    await expect(sending).rejects.toThrow('stopping')
    expect(await context.value(UP)).toBe(1)
  })

  it('are said to be unreachable without their credentials', async () => {
    const gone = `127.0.0.1:${await freePort()}`
    const { client } = clientFor({ endpoint: `http://me:hunter2@${gone}` })

    const error = await client.send(BULK, never).catch((reason: unknown) => reason as Error)

    expect(error).toMatchObject({ name: 'RetryableError', reason: 'unreachable' })
    expect((error as Error).message).toMatch(new RegExp(`^${gone} did not answer: `))
  })
})

describe('credentials', () => {
  async function authorizationOf(settings: object, url = (text: string) => text) {
    const node = await startNode('a')
    const { client } = clientFor({ endpoint: url(node.url), ...settings })
    await client.send(BULK, never)
    return node.seen[0].headers.authorization
  }
  const basic = (user: string) => `Basic ${btoa(user)}`

  it.each([
    ['an encoded key', { api_key: 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==' }],
    ['a key as id and secret', { api_key: 'VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw' }],
    [
      'a key before a user',
      { api_key: 'VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw', user: 'me', password: 'x' },
    ],
  ])('are %s', async (_, settings) => {
    expect(await authorizationOf(settings)).toBe(
      'ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==',
    )
  })

  it('are a token, a user, or what the URL holds', async () => {
    expect(await authorizationOf({ bearer_token: 'abc' })).toBe('Bearer abc')
    expect(await authorizationOf({ user: 'me', password: 'pa:ss' })).toBe(basic('me:pa:ss'))
    const inUrl = (text: string) => text.replace('://', '://you:p%40ss@')
    expect(await authorizationOf({}, inUrl)).toBe(basic('you:p@ss'))
    expect(await authorizationOf({ user: 'me', password: 'x' }, inUrl)).toBe(basic('me:x'))
    expect(await authorizationOf({})).toBeUndefined()
  })

  it.each([
    ['api_key_file', 'ApiKey', {}],
    ['bearer_token_file', 'Bearer', {}],
  ])('are read again from %s when they are refused', async (setting, scheme, more) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const path = join(folder, 'secret')
    await writeFile(path, 'old\n')
    const stub = await startStub(({ headers }) =>
      headers.authorization === `${scheme} new` ? {} : { status: 401 },
    )
    onTestFinished(() => stub[Symbol.asyncDispose]())
    const { client } = clientFor({ endpoint: stub.url, [setting]: path, ...more })

    const refused = await client.send(BULK, never)
    await writeFile(path, 'new\n')
    const taken = await client.send(BULK, never)

    expect([refused.status, taken.status]).toEqual([401, 200])
    expect(stub.seen.map(({ headers }) => headers.authorization)).toEqual([
      `${scheme} old`,
      `${scheme} old`,
      `${scheme} new`,
    ])
  })

  it('that cannot be read are nobody else’s fault', async () => {
    const node = await startNode('a')
    const { client, context } = clientFor({ endpoint: node.url, user: 'me', password_file: '/no/such/file' })

    const error = await client.send(BULK, never).catch((reason: unknown) => reason as Error)

    expect(error).toMatchObject({ reason: 'unauthorized' })
    expect((error as Error).message).toBe('password_file: /no/such/file cannot be read (ENOENT)')
    expect(await context.value(UP)).toBe(1)
  })
})

describe('a proxy', () => {
  it('is given plain requests as they are, and its password', async () => {
    await using proxy = await startConnectProxy()
    const { client } = clientFor({
      endpoint: 'http://es.invalid:9200/es',
      proxy_url: `http://me:pass@${proxy.host}`,
    })

    const { status, node } = await client.send(BULK, never)

    expect([status, node]).toEqual([200, 'es.invalid:9200/es'])
    expect(proxy.asked).toEqual(['POST http://es.invalid:9200/es/_bulk'])
  })

  it('that does not let in says so by its status', async () => {
    await using proxy = await startConnectProxy()
    const { client } = clientFor({ endpoint: 'http://es.invalid', proxy_url: `http://${proxy.host}` })
    expect((await client.send(BULK, never)).status).toBe(407)
  })

  it('that is away is told from the node', async () => {
    const host = `127.0.0.1:${await freePort()}`
    const { client } = clientFor({ endpoint: 'https://es.invalid:9200', proxy_url: `http://${host}` })
    await expect(client.send(BULK, never)).rejects.toThrow(
      `es.invalid:9200 did not answer: the proxy ${host}: `,
    )
  })
})

describe('sniffing', () => {
  const cluster = (...nodes: { address: string; roles: string[] }[]) => ({
    nodes: Object.fromEntries(
      nodes.map(({ address, roles }, i) => [`n${i}`, { roles, http: { publish_address: address } }]),
    ),
  })

  it('goes over to the nodes that take documents, with the credentials of the first', async () => {
    const [seed, data] = [await startNode('seed'), await startNode('data')]
    const port = data.host.split(':')[1]
    seed.says = {
      body: cluster(
        { address: `localhost/127.0.0.1:${port}`, roles: ['data_hot', 'ingest'] },
        { address: '10.0.0.1:9200', roles: ['master'] },
        { address: '10.0.0.2:9200', roles: ['ml', 'remote_cluster_client'] },
      ),
    }
    const { client, context } = clientFor({ endpoint: seed.url.replace('://', '://me:secret@') })

    await sniff(client, { on_start: true, interval: 0 }, context.log, never)
    const { node } = await client.send(BULK, never)

    expect(node).toBe(`localhost:${port}`)
    expect(data.seen[0].headers.authorization).toBe(`Basic ${btoa('me:secret')}`)
    expect(await context.has(UP, { node: seed.host })).toBe(false)
  })

  it.each([
    ['it may not ask', { status: 403 }],
    ['the answer is none', { body: '<html>' }],
    ['no node takes documents', { body: cluster({ address: '10.0.0.1:9200', roles: ['master'] }) }],
  ])('changes nothing where %s', async (_, says) => {
    const seed = await startNode('seed')
    seed.says = says
    const { client, context } = clientFor({ endpoint: seed.url })

    await sniff(client, { on_start: true, interval: 0 }, context.log, never)

    expect((await client.send(BULK, never)).node).toBe(seed.host)
  })

  it('goes back to the nodes of the config when none of the others answers', async () => {
    const seed = await startNode('seed')
    const address = `127.0.0.1:${await freePort()}`
    seed.says = { body: cluster({ address, roles: [] }) }
    const { client, context } = clientFor({ endpoint: seed.url })

    for (let i = 0; i < 2; i++) await sniff(client, { on_start: true, interval: 0 }, context.log, never)

    expect((await client.send(BULK, never)).node).toBe(seed.host)
  })
})
