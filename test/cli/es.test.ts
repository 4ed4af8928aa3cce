import { describe, expect, it } from 'vitest'
import { components } from '../../src/components.ts'
import { configFile, sluice } from './harness.ts'

const CONFIG = `
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:0 } } } }
exporters:
  elasticsearch:
    endpoint: http://127.0.0.1:1
    setup:
      modes: [otel, ecs]
      lifecycle: { policies: { audit: { delete: 400d }, default: { warm: 2d, delete: 14d } } }
      roles: { writer: true }
  debug: {}
service: { pipelines: { logs: { receivers: [otlp], exporters: [elasticsearch, debug] } } }
`

const run = (args: readonly string[], config = CONFIG) =>
  sluice(['es', 'setup', '--config', configFile(config), ...args], { components })

describe('sluice es setup', () => {
  it('prints all requests for Elasticsearch without asking one, as one object', async () => {
    const { code, stdout } = await run(['--print', '--assume', 'elasticsearch'])

    const requests = JSON.parse(stdout) as Record<string, Record<string, unknown>>
    expect(code).toBe(0)
    expect(Object.keys(requests)).toEqual([
      'PUT /_ilm/policy/sluice-audit',
      'PUT /_ilm/policy/sluice-default',
      'PUT /_component_template/sluice-audit@lifecycle',
      'PUT /_component_template/sluice-default@lifecycle',
      'PUT /_component_template/sluice-logs-otel@mappings',
      'PUT /_component_template/sluice-logs-otel@settings',
      'PUT /_component_template/sluice-logs-ecs@mappings',
      'PUT /_component_template/sluice-logs-ecs@settings',
      'PUT /_index_template/sluice-logs-otel-audit',
      'PUT /_index_template/sluice-logs-otel-default',
      'PUT /_index_template/sluice-logs-ecs-audit',
      'PUT /_index_template/sluice-logs-ecs-default',
      'PUT /_security/role/sluice_writer',
    ])
    expect(requests['PUT /_index_template/sluice-logs-otel-audit']).toEqual({
      index_patterns: ['logs-audit.otel-*', 'logs-*.audit.otel-*'],
      priority: 151,
      data_stream: {},
      composed_of: [
        'sluice-logs-otel@mappings',
        'sluice-logs-otel@settings',
        'sluice-audit@lifecycle',
        'logs@custom',
        'logs-otel@custom',
      ],
      ignore_missing_component_templates: ['logs@custom', 'logs-otel@custom'],
      _meta: { managed_by: 'sluice', version: 1 },
    })
    expect(requests['PUT /_index_template/sluice-logs-ecs-default']).toMatchObject({
      index_patterns: ['logs-*-*'],
      priority: 105,
      composed_of: [
        'sluice-logs-ecs@mappings',
        'sluice-logs-ecs@settings',
        'sluice-default@lifecycle',
        'logs@custom',
        'ecs@mappings',
      ],
    })
    expect(requests['PUT /_security/role/sluice_writer']).toMatchObject({
      indices: [
        {
          names: ['logs-*.otel-*', 'logs-*-*'],
          privileges: ['create_doc', 'auto_configure', 'view_index_metadata'],
        },
      ],
    })
  })

  it('prints for OpenSearch policies of its own kind, and nothing that it does not know', async () => {
    const { stdout, stderr } = await run(['--print', '--assume', 'opensearch'])

    const requests = JSON.parse(stdout) as Record<string, Record<string, unknown>>
    expect(requests['PUT /_plugins/_ism/policies/sluice-audit']).toMatchObject({
      policy: {
        ism_template: [
          {
            index_patterns: ['logs-audit.otel-*', 'logs-*.audit.otel-*', 'logs-audit-*', 'logs-*.audit-*'],
            priority: 101,
          },
        ],
      },
    })
    expect(stdout).not.toMatch(/passthrough|flattened|logsdb|ignore_dynamic_beyond_limit|_ilm|_security/)
    expect(stderr).toContain('the server has no passthrough: object with disable_objects instead')
  })

  it('prints the template of dead letters where the exporter keeps them', async () => {
    const config = CONFIG.replace('    setup:', '    dead_letters: {}\n    setup:')
    const { stdout } = await run(['--print', '--assume', 'elasticsearch'], config)
    expect(JSON.parse(stdout)).toMatchObject({
      'PUT /_index_template/logs-sluice.dlq': {
        index_patterns: ['logs-sluice.dlq-*'],
        _meta: { managed_by: 'sluice' },
      },
    })
  })

  it('says that nobody answers', async () => {
    const { code, stderr } = await run(['--dry-run'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('127.0.0.1:1 did not answer')])
  })

  it.each([
    [['--exporter', 'elasticsearch/audit'], 'there is no such exporter "elasticsearch/audit"'],
    [['--exporter', 'debug'], 'there is no such exporter "debug"'],
    [['--assume', 'opensearch'], '--assume: goes with --print'],
    [['--print', '--force'], 'cannot be used with option'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await run(args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  it('wants to know which exporter is meant, and that there is one', async () => {
    const two = CONFIG.replace(
      '  debug: {}',
      '  debug: {}\n  elasticsearch/b: { endpoint: http://127.0.0.1:2 }',
    ).replace('exporters: [elasticsearch, debug]', 'exporters: [elasticsearch, elasticsearch/b, debug]')
    expect((await run([], two)).stderr).toContain(
      'say which exporter is meant: elasticsearch, elasticsearch/b',
    )
    const none = CONFIG.replace(/ {2}elasticsearch:[\s\S]*(?= {2}debug)/, '').replace(
      '[elasticsearch, debug]',
      '[debug]',
    )
    expect((await run([], none)).stderr).toContain('the config has no exporter that can be set up')
  })

  it.each([
    ['mapping: { mode: raw }', 'there are no templates for mapping.mode raw'],
    ['logstash_format: { enabled: true }', 'logstash_format makes indices by date'],
  ])('says why there is nothing to set up with %s', async (setting, message) => {
    const config = CONFIG.replace(/ {4}setup:[\s\S]*(?= {2}debug)/, `    ${setting}\n`)
    const { code, stderr } = await run(['--print', '--assume', 'elasticsearch'], config)
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
  })
})
