import { describe, expect, it } from 'vitest'
import { redactedYaml } from '../../src/config/print.ts'
import { load } from './fakes.ts'

const CONFIG = `receivers:
  otlp: { protocols: { http: } }
processors:
  redaction: { hash_key: "\${env:KEY}" }
exporters:
  debug:
    headers: { authorization: Bearer abc }
    auth: { user: sluice, password: "0123" }
    retry: { kind: backoff }
  debug/key:
    auth: { api_key: abc }
connectors:
  redis: { url: "redis://:hunter2@redis:6379/$\${x}" }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [debug, debug/key] }
  telemetry: { metrics: { address: ":9" } }
`

describe('the config as it takes effect', () => {
  it('has every default filled in and every secret masked', () => {
    expect(redactedYaml(load(CONFIG, { KEY: 'k3y' }))).toBe(`receivers:
  otlp:
    protocols:
      http:
        endpoint: :4318
        max_body: 16MiB
processors:
  redaction:
    detectors:
      - email
    hash_key: "****"
exporters:
  debug:
    verbose: false
    headers:
      authorization: "****"
    auth:
      user: sluice
      password: "****"
    retry:
      kind: backoff
      initial: 1s
  debug/key:
    verbose: false
    headers: {}
    auth:
      api_key: "****"
connectors:
  redis:
    url: redis://****@redis:6379/$\${x}
    timeout: 5s
    database: 0
service:
  extensions: []
  pipelines:
    logs/gateway:
      receivers:
        - otlp
      processors:
        - redaction
      exporters:
        - redis
    logs/drain:
      receivers:
        - redis
      processors: []
      exporters:
        - debug
        - debug/key
  telemetry:
    logs:
      level: info
      encoding: json
    metrics:
      address: :9
      level: normal
  shutdown_timeout: 20s
`)
  })

  it('is a config itself, which takes effect the same way', () => {
    const printed = redactedYaml(load(CONFIG, { KEY: 'k3y' }))

    expect(redactedYaml(load(printed))).toBe(printed)
  })
})
