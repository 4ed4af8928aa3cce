import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { setupConfig } from '../../../../exporters/elasticsearch/setup/config.ts'
import { differences } from '../../../../exporters/elasticsearch/setup/diff.ts'
import { ilmPolicy } from '../../../../exporters/elasticsearch/setup/lifecycle.ts'
import type { SetupPlan } from '../../../../src/setup.ts'
import { startElasticsearch } from '../../../servers/elasticsearch.ts'
import { BOTH, documentsAreFound, setUpTwice } from './documents.ts'
import { Place, type Setup, statesOf } from './kit.ts'

describe('the setup of Elasticsearch 9', () => {
  const place = new Place(inject('elasticsearchUrl'))
  const setup: Setup = {
    ...BOTH,
    translog: 'async',
    failure_store: 'off',
    ingest_pipeline: {},
    lifecycle: { policies: { audit: { delete: '400d' }, default: { delete: '14d' } } },
  }
  let plan: SetupPlan | undefined

  beforeAll(async () => {
    plan = await setUpTwice(place, setup)
  })
  afterAll(async () => {
    if (plan) await place.clean(plan)
  })

  documentsAreFound(() => place)

  it('says what the server lacks, and what is there instead', () => {
    expect(plan?.server).toMatch(/^Elasticsearch \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/)
    expect(plan?.notes).toContain('the server has no match_only_text: text instead')
    expect(plan?.notes).toContain(
      'the server has no index lifecycle management: data stream lifecycle instead',
    )
  })

  it('makes indices that keep times to the nanosecond and names with dots', async () => {
    const { settings, mappings } = await place.index(place.streams('otel'))
    expect(settings).toMatchObject({
      'index.mode': 'logsdb',
      'index.codec': 'best_compression',
      'index.refresh_interval': '1s',
      'index.translog.durability': 'async',
      'index.mapping.total_fields.limit': '1000',
      'index.mapping.total_fields.ignore_dynamic_beyond_limit': 'true',
      'index.default_pipeline': `${place.name}-logs`,
    })
    expect(mappings).toMatchObject({
      properties: {
        '@timestamp': { type: 'date_nanos' },
        attributes: { type: 'passthrough', properties: { 'http.response.status_code': { type: 'long' } } },
        resource: { properties: { attributes: { properties: { 'service.name': { type: 'keyword' } } } } },
      },
    })
    const at = async (nanoseconds: number): Promise<number> => {
      const time = `2026-09-21T14:13:20.${nanoseconds}Z`
      return place.count(place.streams('otel'), { range: { '@timestamp': { gte: time, lte: time } } })
    }
    expect(await at(123_456_789)).toBe(7)
    expect(await at(123_456_790)).toBe(0)
    expect(await at(123_456_794)).toBe(1)
  })

  it('finds fields of OpenTelemetry by the names of ECS', async () => {
    const streams = place.streams('otel')
    expect(await place.count(streams, { term: { 'service.name': 'checkout' } })).toBe(3)
    expect(await place.count(streams, { term: { 'log.level': 'WARN' } })).toBe(1)
    expect(await place.count(streams, { match: { message: 'accepted' } })).toBe(1)
  })

  it('gives datasets of a policy a retention of their own', async () => {
    const lifecycleOf = async (stream: string): Promise<unknown> => {
      const { json } = await place.call('POST', `/_index_template/_simulate_index/${stream}`)
      return (json.template as { lifecycle?: unknown }).lifecycle
    }
    expect(await lifecycleOf(`logs-${place.name}.otel-default`)).toMatchObject({ data_retention: '14d' })
    expect(await lifecycleOf(`logs-${place.name}.audit.otel-default`)).toMatchObject({
      data_retention: '400d',
    })
    expect(await lifecycleOf(`logs-${place.name}.audit-default`)).toMatchObject({ data_retention: '400d' })
  })

  it('changes field by field what the config changes, and nothing else', async () => {
    const changed = { ...setup, refresh_interval: '10s', total_fields_limit: 2000 }
    const next = await place.setup(changed).plan()

    expect(
      next.steps.filter(({ state }) => state !== 'same').map(({ what, differences }) => [what, differences]),
    ).toEqual(
      (['otel', 'ecs'] as const).map((mode) => [
        `component template ${place.name}-logs-${mode}@settings`,
        [
          { path: 'template.settings.index.mapping.total_fields.limit', before: '1000', after: '2000' },
          { path: 'template.settings.index.refresh_interval', before: '1s', after: '10s' },
        ],
      ]),
    )
    await place.setup(changed).apply(next)
    expect(statesOf(await place.setup(changed).plan())).toEqual({ same: next.steps.length })
  })

  it('deletes the templates of policies that the config no longer has, when it is told to', async () => {
    const less = { ...setup, lifecycle: { policies: { default: { delete: '14d' } } } }
    const steps = plan?.steps.length ?? 0
    const next = await place.setup(less).plan()
    expect(next.steps.filter(({ state }) => state === 'obsolete').map(({ what }) => what)).toEqual([
      `index template ${place.name}-logs-ecs-audit`,
      `index template ${place.name}-logs-otel-audit`,
    ])

    await place.setup(less).apply(next)
    expect(statesOf(await place.setup(less).plan())).toMatchObject({ obsolete: 2 })

    await place.setup(less).apply(next, { prune: true })
    expect(statesOf(await place.setup(less).plan())).toEqual({ same: steps - 3 })
  })

  it('leaves alone what somebody else made, until it is forced', async () => {
    const other = new Place(place.url)
    const name = `${other.name}-logs-otel@settings`
    const theirs = { template: { settings: { number_of_shards: 7 } } }
    await other.call('PUT', `/_component_template/${name}`, theirs)
    const next = await other.setup({}).plan()

    await expect(other.setup({}).apply(next)).rejects.toThrow(
      `component template ${name} is left as it is: Sluice did not make it`,
    )
    const { status } = await other.call('GET', `/_component_template/${other.name}-logs-otel@mappings`)
    expect(status).toBe(404)

    await other.setup({}).apply(next, { force: true })
    expect(statesOf(await other.setup({}).plan())).toEqual({ same: next.steps.length })
    await other.clean(next)
  })

  it('refuses a kind of lifecycle that the server has not', async () => {
    await expect(place.setup({ lifecycle: { prefer: 'ilm' } }).plan()).rejects.toThrow(
      'the server has no index lifecycle management',
    )
  })
})

describe('Elasticsearch 6, the newest of these servers with lifecycle management', () => {
  let server: Awaited<ReturnType<typeof startElasticsearch>>
  let place: Place

  beforeAll(async () => {
    server = await startElasticsearch({ flavor: '6', heap: '512m' })
    place = new Place(server.url)
  })
  afterAll(() => server?.stop())

  it('takes the policies that lifecycle management gets, and has them afterwards', async () => {
    const day = 86_400_000
    const { policies } = setupConfig.parse({
      lifecycle: {
        policies: { audit: { warm: '2d', cold: '7d', delete: '400d' }, error: { delete: '90d' } },
      },
    }).lifecycle
    for (const [name, policy] of Object.entries(policies)) {
      const { name: id, body } = ilmPolicy({ name, id: `sluice-${name}`, policy }, server.version)
      expect(await place.call('PUT', `/_ilm/policy/${id}`, body)).toEqual({
        status: 200,
        json: { acknowledged: true },
      })
      const { json } = await place.call('GET', `/_ilm/policy/${id}`)
      const { policy: kept } = json[id] as { policy: object }
      expect(differences('lifecycle policy', { policy: kept }, body)).toEqual([])
      expect(kept).toMatchObject({ phases: { delete: { min_age: `${Number(policy.delete) / day}d` } } })
    }
  })

  it('is told to be too old for a setup', async () => {
    await expect(place.setup({}).plan()).rejects.toThrow(
      /is Elasticsearch 6\.8\.23: index templates .* need 7\.9/,
    )
  })
})
