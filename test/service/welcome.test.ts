import { describe, expect, it } from 'vitest'
import { components } from '../../src/components.ts'
import { loadConfig } from '../../src/config/config.ts'
import { welcome } from '../../src/service/welcome.ts'

const TLS = '{ cert_file: /c.pem, key_file: /k.pem }'

function greet(http: string, telemetry = '{}'): string {
  const text = `
receivers:
  otlp: { protocols: { http: ${http} } }
exporters:
  debug: {}
service:
  telemetry: ${telemetry}
  pipelines:
    logs: { receivers: [otlp], exporters: [debug] }
`
  return welcome(loadConfig('a.yaml', text, components, {}))
}

describe('the welcome', () => {
  it('says where logs go, with a command that sends one there', () => {
    const text = greet('{ endpoint: 127.0.0.1:4999 }')

    expect(text).toContain('otlp over http  127.0.0.1:4999\n')
    expect(text).toContain('metrics         http://127.0.0.1:8888/metrics')
    expect(text).toContain('curl -i localhost:4999/v1/logs')
  })

  it('says what is served over TLS, and gives no command that would fail', () => {
    const text = greet(`{ endpoint: 127.0.0.1:4999, tls: ${TLS} }`, `{ metrics: { tls: ${TLS} } }`)

    expect(text).toContain('otlp over http  127.0.0.1:4999, TLS')
    expect(text).toContain('https://127.0.0.1:8888/metrics')
    expect(text).not.toContain('curl')
  })

  it('gives no command to a Unix socket', () => {
    const text = greet('{ endpoint: unix:///tmp/sluice.sock }')

    expect(text).toContain('otlp over http  unix:///tmp/sluice.sock')
    expect(text).not.toContain('curl')
  })
})
