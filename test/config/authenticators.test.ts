import { describe, expect, it } from 'vitest'
import { components } from '../../src/components.ts'
import { loadConfig, type ServiceConfig } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { redactedYaml } from '../../src/config/print.ts'

const load = (yaml: string): ServiceConfig => loadConfig('config.yaml', yaml, components, {})

function problems(yaml: string): string[] {
  try {
    load(yaml)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const guarded = ({
  otlp = 'bearertokenauth',
  health = 'basicauth',
  metrics = 'basicauth',
  started = 'bearertokenauth, basicauth, health_check',
}): string => `receivers:
  otlp: { protocols: { grpc: { auth: { authenticator: ${otlp} } } } }
exporters:
  debug:
extensions:
  bearertokenauth: { tokens: [secret-1, { token: secret-2, tenant: acme }] }
  basicauth: { htpasswd: { inline: "ann:secret-3" } }
  health_check: { auth: { authenticator: ${health} } }
service:
  extensions: [${started}]
  telemetry: { metrics: { auth: { authenticator: ${metrics} } } }
  pipelines:
    logs: { receivers: [otlp], exporters: [debug] }
`

describe('the authenticators of a config', () => {
  it('are extensions that receivers and admin endpoints name', () => {
    expect(problems(guarded({}))).toEqual([])
  })

  it.each([
    [
      { otlp: 'bearertokenath' },
      'config.yaml:2:55: receivers.otlp.protocols.grpc.auth.authenticator: extension "bearertokenath" is not defined, did you mean "bearertokenauth"?',
    ],
    [
      { otlp: 'health_check' },
      'config.yaml:2:55: receivers.otlp.protocols.grpc.auth.authenticator: extension "health_check" does not authenticate',
    ],
    [
      { started: 'bearertokenauth, health_check', metrics: 'bearertokenauth' },
      'config.yaml:8:42: extensions.health_check.auth.authenticator: extension "basicauth" is not started: name it in service.extensions',
    ],
    [
      { metrics: 'nobody' },
      'config.yaml:11:50: service.telemetry.metrics.auth.authenticator: extension "nobody" is not defined, known: basicauth, bearertokenauth',
    ],
  ])('are there, able and started: not %j', (settings, problem) => {
    expect(problems(guarded(settings))).toEqual([problem])
  })

  it('keep their secrets out of the printed config', () => {
    const printed = redactedYaml(load(guarded({})))

    expect(printed).not.toContain('secret-')
  })
})
