import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { elasticsearch } from '../../../../exporters/elasticsearch/index.ts'
import { never, testContext } from '../../../support/component.ts'
import { attributes, batchOf, text } from '../../../support/otlp.ts'

const USERS = 200
/** Of Elasticsearch: what goes beyond is refused. */
const TOTAL_FIELDS = 60
const FIELD_LIMIT = 30

async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

/** Attributes with names made of data: one for each user. */
function userBatch(dataset: string) {
  const records = Array.from({ length: USERS }, (_, user) => ({
    timeUnixNano: '1790000000123456789',
    body: text('visited'),
    attributes: attributes({
      'http.route': text('/cart'),
      [`user.${user}.visits`]: { intValue: String(9_007_199_254_740_993n + BigInt(user)) },
    }),
  }))
  const batch = batchOf(records, { attributes: attributes({ 'data_stream.dataset': text(dataset) }) })
  batch.identify(Buffer.alloc(32, 1))
  return batch
}

/** Delivers a batch; gives how many records were refused, and why the first. */
async function deliver(url: string, settings: object, dataset: string) {
  const context = testContext()
  const exporter = elasticsearch.create(elasticsearch.config.parse({ endpoint: url, ...settings }), context)
  let refused = 0
  let why = ''
  await exporter.export(userBatch(dataset), never).catch((error: unknown) => {
    const { rejected } = error as { rejected?: readonly { reason: string; records: readonly number[] }[] }
    if (rejected === undefined) throw error
    refused = rejected.reduce((sum, { records }) => sum + records.length, 0)
    why = rejected[0].reason
  })
  await exporter.stop?.(never)
  return { context, refused, why }
}

/** The names of the fields that a mapping has. */
function fieldsOf(mapping: { properties?: object }, prefix = ''): string[] {
  return Object.entries(mapping.properties ?? {}).flatMap(([name, inner]) => [
    prefix + name,
    ...fieldsOf(inner as { properties?: object }, `${prefix}${name}.`),
  ])
}

interface Mappings {
  readonly [index: string]: { readonly mappings: { readonly properties: object } }
}

const MODES = [
  { mode: 'otel', suffix: '.otel', overflow: 'attributes_overflow' },
  { mode: 'ecs', suffix: '', overflow: 'labels_overflow' },
] as const

describe.each(MODES)('attributes with names made of data, in mode $mode,', ({ mode, suffix, overflow }) => {
  const url = inject('elasticsearchUrl')
  const run = `fields_${mode}_${randomBytes(4).toString('hex')}`
  const streamOf = (name: string): string => `logs-${run}_${name}${suffix}-default`
  const mappingOf = async (name: string): Promise<string[]> => {
    const mappings = (await call(url, 'GET', `/${streamOf(name)}/_mapping`)) as Mappings
    return fieldsOf(Object.values(mappings)[0].mappings)
  }

  beforeAll(async () => {
    await call(url, 'PUT', `/_index_template/${run}`, {
      index_patterns: [`logs-${run}_*`],
      priority: 600,
      data_stream: {},
      template: {
        settings: { number_of_replicas: 0, 'index.mapping.total_fields.limit': TOTAL_FIELDS },
        mappings: {
          properties: {
            [overflow]: { type: 'flattened' },
            ...(mode === 'otel' && { attributes: { type: 'object', subobjects: false } }),
          },
        },
      },
    })
  })

  it('are refused beyond what Elasticsearch takes, and health and metrics name them', async () => {
    const settings = { mapping: { mode }, field_watch: { limit: FIELD_LIMIT } }

    const { context, refused, why } = await deliver(url, settings, `${run}_warn`)

    expect(refused).toBeGreaterThan(USERS / 2)
    expect(why).toMatch(/^400 /)
    const prefix = mode === 'otel' ? 'attributes.user.*' : 'user.*'
    expect(context.states.at(-1)).toMatchObject({ state: 'degraded' })
    expect(context.states.at(-1)?.detail).toContain(`${streamOf('warn')} has more than ${FIELD_LIMIT} fields`)
    expect(context.states.at(-1)?.detail).toContain(prefix)
    const labels = { data_stream: streamOf('warn') }
    expect(await context.value('sluice_elasticsearch_fields', labels)).toBeGreaterThan(FIELD_LIMIT)
    expect(
      await context.value('sluice_elasticsearch_exploding_fields', { ...labels, prefix }),
    ).toBeGreaterThan(FIELD_LIMIT / 2)
  })

  it.each([
    ['once they are found out', 'flatten', { limit: FIELD_LIMIT, action: 'flatten' }],
    ['from the start where the config names them', 'static', { flatten: ['user.*'] }],
  ] as const)('are all taken in one field, and found in it: %s', async (_, name, field_watch) => {
    const { context, refused, why } = await deliver(url, { mapping: { mode }, field_watch }, `${run}_${name}`)

    expect({ refused, why }).toEqual({ refused: 0, why: '' })
    expect(context.states.at(-1)?.state).toBe('ok')
    const fields = await mappingOf(name)
    expect(fields).toContain(overflow)
    expect(fields.length).toBeLessThan(TOTAL_FIELDS)
    expect(fields.some((field) => field.includes('user'))).toBe(name === 'flatten')
    const reason = name === 'flatten' ? 'exploding' : 'configured'
    const moved = await context.value('sluice_elasticsearch_moved_attributes_total', { reason })
    expect(moved).toBeGreaterThanOrEqual(name === 'flatten' ? USERS - FIELD_LIMIT - 1 : USERS)

    await call(url, 'POST', `/${streamOf(name)}/_refresh`)
    const found = (await call(url, 'POST', `/${streamOf(name)}/_search`, {
      query: { term: { [`${overflow}.user.199.visits`]: '9007199254741192' } },
    })) as { hits: { hits: { _source: object }[] } }
    expect(found.hits.hits).toHaveLength(1)
  })
})
