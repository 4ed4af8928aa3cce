import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { chooseConfig } from '../../src/cli/config-file.ts'

const REDIS_URL = 'redis://redis:6379'
const ELASTICSEARCH_URL = 'http://elasticsearch:9200'
const SLUICE_CONFIG = '/etc/sluice.yaml'

describe('the config', () => {
  it('is the one named on the command line before all others', () => {
    expect(chooseConfig('mine.yaml', { SLUICE_CONFIG, REDIS_URL })).toBe('mine.yaml')
  })

  it('is the one named in SLUICE_CONFIG otherwise', () => {
    expect(chooseConfig(undefined, { SLUICE_CONFIG, REDIS_URL })).toBe('/etc/sluice.yaml')
  })

  it.each([
    ['default.yaml', {}],
    ['default.yaml', { SLUICE_CONFIG: '', REDIS_URL: '', ELASTICSEARCH_URL: '' }],
    ['redis-file.yaml', { REDIS_URL }],
    ['disk-elasticsearch.yaml', { ELASTICSEARCH_URL }],
    ['redis-elasticsearch.yaml', { REDIS_URL, ELASTICSEARCH_URL }],
  ])('is the package’s own %s for the environment %j', (name, env) => {
    const file = chooseConfig(undefined, env)

    expect(file).toMatch(new RegExp(`/config/${name}$`))
    expect(existsSync(file)).toBe(true)
  })
})
