import { describe, expect, it } from 'vitest'
import type { OtlpConfig } from '../../../receivers/otlp/config.ts'
import { components } from '../../../src/components.ts'
import { loadConfig } from '../../../src/config/config.ts'
import { ConfigError } from '../../../src/config/errors.ts'
import { redactedYaml } from '../../../src/config/print.ts'

function config(protocols: string) {
  const yaml = `
receivers:
  otlp:
    protocols: ${protocols}
exporters: { debug: }
service: { pipelines: { logs: { receivers: [otlp], exporters: [debug] } } }
`
  return loadConfig('config.yaml', yaml, components, {})
}

function load(protocols: string): OtlpConfig['protocols'] {
  const settings: unknown = config(protocols).receivers.get('otlp')?.config
  return (settings as OtlpConfig).protocols
}

/** What the user is told of it. */
function problem(protocols: string): string {
  try {
    load(protocols)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

describe('the settings of the otlp receiver', () => {
  it('take those of a Collector as they are', () => {
    const { grpc, http } = load(
      `
      grpc:
        endpoint: /run/otlp.sock
        transport: unix
        max_recv_msg_size_mib: 16
        max_concurrent_streams: 16
        keepalive:
          server_parameters: { max_connection_idle: 11s, max_connection_age: 12s, max_connection_age_grace: 13s, time: 30s, timeout: 5s }
          enforcement_policy: { min_time: 10s, permit_without_stream: true }
      http:
        endpoint: 0.0.0.0:4318
        transport: tcp
        logs_url_path: /logs
        max_request_body_size: 1048576
        compression_algorithms: ["", gzip, zstd, zlib, deflate]
        response_headers: { X-Frame-Options: DENY }
        keep_alives_enabled: false
        idle_timeout: 30s
        cors:
          allowed_origins: ["https://*.example.com"]
          allowed_headers: [X-Tenant]
          exposed_headers: [Retry-After]
          max_age: 7200
`,
    )

    expect(grpc).toMatchObject({
      endpoint: { path: '/run/otlp.sock' },
      keepalive: { server_parameters: { max_connection_idle: 11_000 } },
    })
    expect(http).toMatchObject({
      endpoint: { host: '0.0.0.0', port: 4318 },
      max_request_body_size: 1_048_576,
      keep_alives_enabled: false,
      cors: { max_age: 7200 },
    })
  })

  it.each([
    ['{ grpc: { read_buffer_size: 524288 } }', 'Node sizes its buffers itself'],
    ['{ grpc: { write_buffer_size: 524288 } }', 'Node sizes its buffers itself'],
    ['{ grpc: { include_metadata: true } }', 'headers of requests are not kept'],
    ['{ http: { include_metadata: true } }', 'headers of requests are not kept'],
    ['{ http: { middlewares: [] } }', 'there are no middlewares'],
    ['{ http: { traces_url_path: /v1/traces } }', 'Sluice takes logs only'],
    ['{ http: { metrics_url_path: /v1/metrics } }', 'Sluice takes logs only'],
    ['{ http: { write_timeout: 30s } }', 'answers are small'],
    ['{ http: { compression_algorithms: [snappy] } }', 'send zstd or gzip'],
    ['{ http: { compression_algorithms: [brotli] } }', 'expected some of "", "gzip"'],
    ['{ http: { response_headers: { "a b": c } } }', 'the name of a header'],
    ['{ http: { response_headers: { Content-Length: "1" } } }', 'writes this header itself'],
    ['{ http: { response_headers: { X-A: "a\\nb" } } }', 'what a header may hold'],
    ['{ http: { cors: { allowed_origins: ["https://*.*"] } } }', 'no more than one *'],
    ['{ http: { cors: { allowed_origin: ["*"] } } }', 'did you mean "allowed_origins"'],
    ['{ http: { endpoint: "4318" } }', 'host:port such as 0.0.0.0:4317, or unix:///path'],
    ['{ http: { endpoint: "unix:otlp.sock" } }', 'a path that begins with /'],
    [`{ http: { endpoint: "/${'x'.repeat(107)}" } }`, 'no more than 107 bytes'],
    ['{ http: { endpoint: "localhost:1", transport: unix } }', 'unix beside a path'],
    ['{ grpc: { endpoint: "unix:///a", transport: tcp } }', 'unix beside a path'],
    ['{ grpc: { max_concurrent_stream: 3 } }', 'did you mean "max_concurrent_streams"'],
  ])('answer %s with what to do', (protocols, answer) => {
    expect(problem(protocols)).toContain(answer)
  })

  it('do not show the values of response_headers', () => {
    const printed = redactedYaml(config('{ http: { response_headers: { X-Key: hush } } }'))
    expect(printed).toContain('X-Key')
    expect(printed).not.toContain('hush')
  })
})
