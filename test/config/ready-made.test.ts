import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig, type ServiceConfig } from '../../src/config/config.ts'
import type { ComponentDefinition } from '../../src/define.ts'

/** Components by name only: what they make of their settings is tested with the components. */
const registry = Object.entries({
  receiver: ['otlp'],
  processor: ['redaction', 'trace_context', 'sampling'],
  exporter: ['file', 'elasticsearch'],
  connector: ['disk', 'redis'],
  extension: ['health_check'],
}).flatMap(([kind, types]) =>
  types.map(
    (type) => ({ kind, type, summary: '', config: z.looseObject({}) }) as unknown as ComponentDefinition,
  ),
)

function load(name: string, env: Record<string, string>): ServiceConfig {
  const file = new URL(`../../config/${name}`, import.meta.url)
  return loadConfig(name, readFileSync(file, 'utf8'), registry, env)
}

const REDIS_URL = 'redis://redis:6379'
const ELASTICSEARCH_URL = 'http://elasticsearch:9200'

describe.each([
  ['default.yaml', {}, 'disk', 'file'],
  ['redis-file.yaml', { REDIS_URL }, 'redis', 'file'],
  ['disk-elasticsearch.yaml', { ELASTICSEARCH_URL }, 'disk', 'elasticsearch'],
  ['redis-elasticsearch.yaml', { REDIS_URL, ELASTICSEARCH_URL }, 'redis', 'elasticsearch'],
] as const)('%s', (name, env, buffer, destination) => {
  it(`buffers in ${buffer}, delivers to ${destination} and leaves nothing unused`, () => {
    const config = load(name, env)

    expect(config.pipelines).toEqual([
      {
        name: 'logs/gateway',
        receivers: ['otlp'],
        processors: ['redaction', 'trace_context', 'sampling'],
        exporters: [buffer],
      },
      { name: 'logs/drain', receivers: [buffer], processors: [], exporters: [destination] },
    ])
    expect(config.enabledExtensions).toEqual(['health_check'])
    expect(config.warnings).toEqual([])
  })

  it('takes what differs between machines from the environment', () => {
    const config = load(name, { ...env, SLUICE_DATA: '/var/lib/sluice' })
    const settings = (id: string) => (config.connectors.get(id) ?? config.exporters.get(id))?.config

    expect(settings(buffer)).toEqual(
      buffer === 'redis' ? { url: REDIS_URL } : { directory: '/var/lib/sluice/buffer' },
    )
    expect(settings(destination)).toEqual(
      destination === 'elasticsearch'
        ? { endpoints: [ELASTICSEARCH_URL] }
        : { directory: '/var/lib/sluice/logs', path: '{service.name}/{YYYY-MM-DD}.ndjson' },
    )
  })

  it('shows metrics and health to this machine only, unless the environment says otherwise', () => {
    const hosts = (config: ServiceConfig) => [
      config.telemetry.metrics.address.host,
      config.extensions.get('health_check')?.config,
    ]

    expect(hosts(load(name, env))).toEqual(['127.0.0.1', { endpoint: '127.0.0.1:13133' }])
    expect(hosts(load(name, { ...env, SLUICE_ADMIN_HOST: '0.0.0.0' }))).toEqual([
      '0.0.0.0',
      { endpoint: '0.0.0.0:13133' },
    ])
  })

  it('is known to editors by its schema', () => {
    const text = readFileSync(new URL(`../../config/${name}`, import.meta.url), 'utf8')

    expect(text.split('\n', 1)).toEqual(['# yaml-language-server: $schema=./schema.json'])
  })
})
