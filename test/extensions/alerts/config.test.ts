import { describe, expect, it } from 'vitest'
import { components } from '../../../src/components.ts'
import { loadConfig } from '../../../src/config/config.ts'
import { redactedYaml } from '../../../src/config/print.ts'

function load(settings: string) {
  const text = `
receivers: { otlp: { protocols: { http: } } }
exporters: { debug: }
extensions:
  alerts:
${settings.replaceAll(/^/gm, '    ')}
service:
  extensions: [alerts]
  pipelines: { logs: { receivers: [otlp], exporters: [debug] } }
`
  return loadConfig('config.yaml', text, components, {})
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
