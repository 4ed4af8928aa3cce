import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PLACEHOLDERS } from '../../../extensions/alerts/receivers/template.ts'
import { components } from '../../../src/components.ts'
import { loadConfig } from '../../../src/config/config.ts'
import { redactedYaml } from '../../../src/config/print.ts'

const PIPELINE = `
receivers: { otlp: { protocols: { http: } } }
exporters: { debug: }
`
const RUNS = `
  pipelines: { logs: { receivers: [otlp], exporters: [debug] } }
`
const ENV = {
  SLACK_URL: 'https://hooks.slack.com/services/a',
  PAGERDUTY_KEY: 'b',
  REDIS_URL: 'redis://redis:6379',
  ELASTICSEARCH_URL: 'http://elasticsearch:9200',
}

function load(settings: string) {
  const extensions = `extensions:\n  alerts:\n${settings.replaceAll(/^/gm, '    ')}\n`
  return loadConfig(
    'config.yaml',
    `${PIPELINE}${extensions}service:\n  extensions: [alerts]${RUNS}`,
    components,
    ENV,
  )
}

function textOf(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
}

describe('the settings of alerts', () => {
  it.each([
    ['webhooks: { chat: { format: slack } }', 'extensions.alerts.webhooks.chat.url: required for slack'],
    ['webhooks: { pager: { format: pagerduty } }', 'webhooks.pager.routing_key: required for pagerduty'],
    ['webhooks: { chat: { url: "http://a", routing_key: b } }', 'chat.routing_key: is for pagerduty only'],
    ['webhooks: { chat: { url: "http://a", format: custom } }', 'webhooks.chat.body: required for custom'],
    [
      'webhooks: { chat: { url: "http://a", body: "{}" } }',
      'webhooks.chat.body: is for the format custom only',
    ],
    [
      'webhooks: { chat: { url: "ftp://a" } }',
      'webhooks.chat.url: expected a URL such as https://hooks.slack.com',
    ],
    ['webhooks: { "a b": { url: "http://a" } }', 'a name is letters, digits, ".", "_" and "-"'],
    [
      'webhooks: { chat: { url: "http://a", format: custom, body: "{{nope}}" } }',
      'webhooks.chat.body: unknown placeholder {{nope}}, expected one of status, event,',
    ],
    ['alertmanager: { urls: [] }', 'extensions.alerts.alertmanager.urls: names no URL'],
    ['alertmanager: { urls: [localhost] }', 'urls[0]: expected a URL such as http://alertmanager:9093'],
    ['labels: { "a-b": c }', 'a label is letters, digits and "_"'],
    ['webhooks: { chat: { url: "http://a", headers: { "a b": c } } }', 'is no name of a header'],
    ['webhooks: { chat: { url: "http://a", headers: { a: "b\\nc" } } }', 'is no value of a header'],
    ['interval: 10ms', 'extensions.alerts.interval: expected 100ms or more'],
    ['rules: { buffer_old: {} }', 'extensions.alerts.rules.buffer_old: unknown option, did you mean'],
    ['rules: { buffer_age: { warning: 5 } }', 'rules.buffer_age.warning: expected a duration such as'],
    ['rules: { redis_evicting: { severity: bad } }', 'severity: expected "warning" or "critical"'],
  ])('%s is answered with its place and what is wrong', (settings, message) => {
    expect(() => load(settings)).toThrow(message)
  })

  it('hide what is secret when they are printed', () => {
    const printed = redactedYaml(
      load(
        [
          'alertmanager: { urls: ["http://me:hush1@am:9093"], basic_auth: { username: me, password: hush2 } }',
          'webhooks:',
          '  chat: { url: "https://hooks.slack.com/services/hush3", format: slack, headers: { x-key: hush4 } }',
          '  pager: { format: pagerduty, routing_key: hush5, bearer_token: hush6 }',
        ].join('\n'),
      ),
    )

    expect(printed).not.toContain('hush')
    expect(printed).toContain('routing_key: "****"')
    expect(printed).toContain('http://****@am:9093')
  })

  it('have defaults for every rule', () => {
    const printed = redactedYaml(load('interval: 5s'))

    expect(printed).toContain('buffer_backlog:\n        enabled: true\n        for: 3s\n        warning: 1m')
  })
})

describe('what the documentation shows of alerts', () => {
  const page = textOf('docs/alerts.md')
  const [whole, part] = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml)

  it('is a config that works', () => {
    const text = `${PIPELINE}${whole.replace('extensions:', 'extensions:\n  health_check:')}${RUNS}`
    const { extensions, warnings } = loadConfig('docs/alerts.md', text, components, ENV)

    expect(extensions.get('alerts')?.config).toMatchObject({
      webhooks: { chat: { format: 'slack', url: ENV.SLACK_URL }, duty: { routing_key: 'b' } },
      rules: { buffer_age: { warning: 60_000 }, redis_aof_off: { enabled: false } },
    })
    expect(warnings).toEqual([])
  })

  it('has a template that works', () => {
    expect(() => load(part.replaceAll(/^ {4}/gm, ''))).not.toThrow()
  })

  it('names every placeholder', () => {
    const named = [...page.matchAll(/`\{\{(\w+)\}\}`/g)].map(([, name]) => name)

    expect(new Set(named)).toEqual(new Set(Object.keys(PLACEHOLDERS)))
  })

  it.each(['default', 'disk-elasticsearch', 'redis-elasticsearch', 'redis-file'])(
    'needs no more than its comment taken away in config/%s.yaml',
    (name) => {
      const text = textOf(`config/${name}.yaml`)
        .replaceAll(/^ {2}# (alerts:| {2}alertmanager:)/gm, '  $1')
        .replace('extensions: [health_check]', 'extensions: [health_check, alerts]')
      const { extensions } = loadConfig(name, text, components, ENV)

      expect(extensions.get('alerts')?.config).toMatchObject({
        alertmanager: { urls: ['http://alertmanager:9093'] },
      })
    },
  )
})
