export interface PathConfig {
  readonly grpc: number
  readonly http: number
  readonly redisUrl: string
  readonly elasticsearchUrl: string
}

/** The whole path: gateway, Redis, drain, Elasticsearch, with timings short enough for a test. */
export function wholePath({ grpc, http, redisUrl, elasticsearchUrl }: PathConfig): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}" }
      http: { endpoint: "127.0.0.1:${http}" }
processors:
  redaction:
  trace_context:
  sampling:
connectors:
  redis:
    url: "${redisUrl}"
    worker_timeout: 2s
    heartbeat: 500ms
exporters:
  elasticsearch:
    endpoint: "${elasticsearchUrl}"
    sending_queue: { batch: { max_size: 256KiB } }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction, trace_context, sampling], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
}
