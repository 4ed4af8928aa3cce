import { freePort } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { type Sluice, startSluice } from './sluice.ts'

interface PathConfig {
  readonly grpc: number
  readonly http: number
  readonly redisUrl: string
  readonly elasticsearchUrl: string
}

/** The whole path: gateway, Redis, drain, Elasticsearch, with timings short enough for a test. */
function wholePath({ grpc, http, redisUrl, elasticsearchUrl }: PathConfig): string {
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

/** The servers and processes of the whole path, gateway and drain apart. */
export interface WholePath extends AsyncDisposable {
  readonly gateway: Sluice
  readonly drain: Sluice
  readonly grpc: number
  readonly http: number
}

/** Starts the whole path with a Redis of its own. */
export async function startWholePath(elasticsearchUrl: string): Promise<WholePath> {
  await using started = new AsyncDisposableStack()
  const redis = started.use(await startRedis())
  const [grpc, http] = [await freePort(), await freePort()]
  const config = wholePath({ grpc, http, redisUrl: redis.url, elasticsearchUrl })
  const drain = started.use(await startSluice({ config, pipelines: 'logs/drain' }))
  const gateway = started.use(await startSluice({ config, pipelines: 'logs/gateway' }))
  const all = started.move()
  return { gateway, drain, grpc, http, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
