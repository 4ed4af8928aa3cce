import { describe, expect, it } from 'vitest'
import { differences } from '../../../../exporters/elasticsearch/setup/diff.ts'
import { elasticBytes, elasticTime, streamPatterns } from '../../../../exporters/elasticsearch/setup/names.ts'

describe('what differs between an asset and what a server has', () => {
  const settings = {
    index: { number_of_shards: 1, sort: { field: ['a', '@timestamp'] }, mapping: { ignore_malformed: true } },
  }

  it('is nothing where the server only writes it in another way', () => {
    const written = {
      'index.number_of_shards': '1',
      sort: { field: ['a', '@timestamp'] },
      'mapping.ignore_malformed': 'true',
    }
    expect(
      differences('component template', { template: { settings: written } }, { template: { settings } }),
    ).toEqual([])
  })

  it('is every field that is missing, too much or another', () => {
    const existing = {
      template: { settings: { index: { number_of_shards: '2', codec: 'default', sort: { field: ['a'] } } } },
    }
    expect(differences('component template', existing, { template: { settings } })).toEqual([
      { path: 'template.settings.index.codec', before: 'default', after: undefined },
      { path: 'template.settings.index.mapping.ignore_malformed', before: undefined, after: 'true' },
      { path: 'template.settings.index.number_of_shards', before: '2', after: '1' },
      { path: 'template.settings.index.sort.field', before: 'a', after: 'a, @timestamp' },
    ])
  })

  it('is not what servers add by themselves', () => {
    const existing = { index_patterns: ['x'], data_stream: { hidden: false, allow_custom_routing: false } }
    expect(differences('index template', existing, { index_patterns: ['x'], data_stream: {} })).toEqual([])
    const phases = { delete: { min_age: '1d', actions: { delete: { delete_searchable_snapshot: true } } } }
    const wanted = { delete: { min_age: '1d', actions: { delete: {} } } }
    expect(differences('lifecycle policy', { policy: { phases } }, { policy: { phases: wanted } })).toEqual(
      [],
    )
  })

  it('is also the order of dynamic templates, of which the first counts', () => {
    const of = (...names: string[]) => ({
      template: { mappings: { dynamic_templates: names.map((name) => ({ [name]: { match: '*' } })) } },
    })
    expect(differences('component template', of('a', 'b'), of('b', 'a'))).not.toEqual([])
  })
})

describe('what Elasticsearch reads', () => {
  it.each([
    [400 * 86_400_000, '400d'],
    [36 * 3_600_000, '36h'],
    [90_000, '90s'],
    [1500, '1500ms'],
    [0, '0ms'],
  ])('is for %d ms %s', (ms, text) => {
    expect(elasticTime(ms)).toBe(text)
  })

  it.each([
    [50 * 2 ** 30, '50gb'],
    [1536 * 2 ** 10, '1536kb'],
    [5_000_000_001, '5000000001b'],
  ])('is for %d bytes %s', (bytes, text) => {
    expect(elasticBytes(bytes)).toBe(text)
  })

  it('is for datasets and namespaces every pair of them, with the suffix of the mode', () => {
    expect(streamPatterns('otel', ['shop', '*.audit'], ['eu', 'us'])).toEqual([
      'logs-shop.otel-eu',
      'logs-shop.otel-us',
      'logs-*.audit.otel-eu',
      'logs-*.audit.otel-us',
    ])
    expect(streamPatterns('ecs', ['*'], ['*'])).toEqual(['logs-*-*'])
  })
})
