import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type ElasticsearchServer, startElasticsearch } from '../../../servers/elasticsearch.ts'
import { Place, type Setup, statesOf } from './kit.ts'

const PASSWORD = 'of-the-test'

describe('the setup of an Elasticsearch with security', () => {
  let server: ElasticsearchServer
  let admin: Place
  let setup: Setup

  const basic = (user: string) => `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`

  const addUser = async (name: string, roles: readonly string[]): Promise<Place> => {
    const user = { password: PASSWORD, roles }
    expect((await admin.call('PUT', `/_security/user/${name}`, user)).status).toBe(200)
    return new Place(server.url, basic(name))
  }

  beforeAll(async () => {
    // The minimal servers lack the analyzers of the index that roles are kept in.
    server = await startElasticsearch({ flavor: '9', password: PASSWORD, heap: '512m' })
    admin = new Place(server.url, basic('elastic'))
    setup = {
      modes: ['otel'],
      datasets: ['shop', 'bank'],
      refresh_interval: '1s',
      roles: {
        writer: true,
        readers: {
          shop: { datasets: ['shop'] },
          visitors: { query: { bool: { must_not: { term: { 'attributes.sensitive': true } } } } },
        },
      },
    }
    // The index that roles are kept in is made as the server starts, and may not be ready yet.
    const plan = await vi.waitFor(() => admin.setup(setup).plan(), { timeout: 60_000, interval: 500 })
    await admin.setup(setup).apply(plan)
  })
  afterAll(() => server?.stop())

  it('leaves nothing to change, roles included', async () => {
    const plan = await admin.setup(setup).plan()
    expect(statesOf(plan)).toEqual({ same: plan.steps.length })
    expect(plan.steps.filter(({ what }) => what.startsWith('role '))).toHaveLength(2)
  })

  it('makes a writer whose API key creates documents, and neither reads nor deletes them', async () => {
    const { json: role } = await admin.call('GET', `/_security/role/${admin.name}_writer`)
    const { json: made } = await admin.call('POST', '/_security/api_key', {
      name: 'writer',
      role_descriptors: { writer: withoutExtras(role[`${admin.name}_writer`]) },
    })
    const writer = new Place(server.url, `ApiKey ${String(made.encoded)}`)

    expect(await writer.deliver('otel', 'shop')).toEqual([])

    expect(await admin.count('logs-shop.otel-*', { match_all: {} })).toBe(9)
    expect((await writer.call('GET', '/logs-shop.otel-*/_search')).status).toBe(403)
    expect(
      (await writer.call('POST', '/logs-shop.otel-default/_delete_by_query', { query: { match_all: {} } }))
        .status,
    ).toBe(403)
    expect((await writer.call('DELETE', '/logs-shop.otel-default')).status).toBe(403)
    expect((await writer.call('PUT', '/_index_template/x', { index_patterns: ['x'] })).status).toBe(403)
  })

  it('makes a reader for a team, who reads what is the team’s alone', async () => {
    expect(await admin.deliver('otel', 'bank')).toEqual([])
    const reader = await addUser('anna', [`${admin.name}_reader_shop`])

    expect(await reader.count('logs-shop.otel-*', { match_all: {} })).toBeGreaterThan(0)
    expect((await reader.call('GET', '/logs-bank.otel-default/_search')).status).toBe(403)
    expect((await reader.call('POST', '/logs-shop.otel-default/_doc', { '@timestamp': 1 })).status).toBe(403)
  })

  it('makes no reader with a rule that the licence has not, and says so', async () => {
    const { notes, steps } = await admin.setup(setup).plan()
    expect(notes.join('\n')).toContain('reader visitors is not made')
    expect(steps.map(({ what }) => what)).not.toContain(`role ${admin.name}_reader_visitors`)

    // The server says the same of the role itself.
    const body = {
      indices: [{ names: ['logs-*'], privileges: ['read'], query: '{"match_all":{}}' }],
    }
    const { status, json } = await admin.call('PUT', '/_security/role/rule', body)
    expect([status, JSON.stringify(json)]).toEqual([403, expect.stringContaining('non-compliant')])
  })

  it('says which privilege is missing', async () => {
    const guest = await addUser('guest', [])
    await expect(guest.setup({ modes: ['otel'] }).plan()).rejects.toThrow(
      /was refused: it needs one of the cluster privileges .*manage_index_templates/,
    )
  })

  it('says that credentials are wrong', async () => {
    const nobody = new Place(server.url, basic('nobody'))
    await expect(nobody.setup({}).plan()).rejects.toThrow('the credentials are missing or wrong')
  })
})

/** What a role of an API key may not have. */
function withoutExtras(role: unknown): unknown {
  const { cluster, indices } = role as { cluster: unknown; indices: unknown }
  return { cluster, indices }
}
