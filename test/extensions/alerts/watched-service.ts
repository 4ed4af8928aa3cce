import { Redis } from 'ioredis'
import { numberedRequest, postUntilAccepted } from '../../e2e/client.ts'
import { type Sluice, startSluice } from '../../e2e/sluice.ts'
import { type AlertmanagerServer, type KnownAlert, startAlertmanager } from '../../servers/alertmanager.ts'
import { freePort } from '../../servers/ports.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { type Destination, startDestination } from './destination.ts'
import { startWebServer, type WebServer } from './web-server.ts'

interface Told {
  readonly event: string
  readonly labels: Readonly<Record<string, string>>
}

/** A Sluice with a Redis, a destination, two Alertmanagers and two webhooks, one of which nobody serves. */
export class WatchedService implements AsyncDisposable {
  readonly redis: RedisServer
  readonly destination: Destination
  /** Answers the first message with 500. */
  readonly webhook: WebServer
  readonly sluice: Sluice
  readonly healthPort: number
  readonly #managers: readonly AlertmanagerServer[]
  readonly #http: number
  readonly #all: AsyncDisposableStack

  private constructor(
    parts: Pick<WatchedService, 'redis' | 'destination' | 'webhook' | 'sluice' | 'healthPort'>,
    managers: readonly AlertmanagerServer[],
    http: number,
    all: AsyncDisposableStack,
  ) {
    this.redis = parts.redis
    this.destination = parts.destination
    this.webhook = parts.webhook
    this.sluice = parts.sluice
    this.healthPort = parts.healthPort
    this.#managers = managers
    this.#http = http
    this.#all = all
  }

  /** `service`: a line below `service:` of the config. */
  static async start(service: string): Promise<WatchedService> {
    await using started = new AsyncDisposableStack()
    const [http, healthPort] = [await freePort(), await freePort()]
    const redis = started.use(await startRedis())
    const managers = [started.use(await startAlertmanager()), started.use(await startAlertmanager())]
    const webhook = started.use(await startWebServer(500, 200))
    const destination = started.use(await startDestination())
    const config = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  redis: { url: "${redis.url}" }
exporters:
  elasticsearch: { endpoint: "${destination.url}" }
extensions:
  health_check: { endpoint: "127.0.0.1:${healthPort}" }
  alerts:
    keep_firing_for: 5s
    instance: gw-1
    labels: { cluster: eu }
    alertmanager: { urls: ["${managers.map(({ url }) => url).join('", "')}"] }
    webhooks:
      # Nobody is there, and nobody else is to feel it.
      dead: { url: "http://127.0.0.1:1", format: slack }
      chat: { url: "${webhook.url}" }
service:
  ${service}
  extensions: [health_check, alerts]
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
    const sluice = started.use(await startSluice({ config }))
    const parts = { redis, destination, webhook, sluice, healthPort }
    return new WatchedService(parts, managers, http, started.move())
  }

  /** How many Alertmanagers there are. */
  get managers(): number {
    return this.#managers.length
  }

  /** The alerts of a name, of all Alertmanagers. */
  async firing(name: string): Promise<KnownAlert[]> {
    const known = await Promise.all(this.#managers.map((manager) => manager.alerts()))
    return known.flatMap((alerts) => alerts.filter(({ labels }) => labels.alertname === name))
  }

  /** Sends a request every 50 ms until it is disposed of. */
  load(): AsyncDisposable {
    const { bytes } = numberedRequest(0, 20, 'alerts')
    const over = new AbortController()
    const sending = (async () => {
      while (!over.signal.aborted) {
        await postUntilAccepted(this.#http, bytes)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    return {
      async [Symbol.asyncDispose]() {
        over.abort()
        await sending
      },
    }
  }

  async setPolicy(policy: string): Promise<void> {
    const client = new Redis(this.redis.url)
    await client.config('SET', 'maxmemory-policy', policy)
    client.disconnect()
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#all.disposeAsync()
  }

  /** What the webhook was told of an alert: `firing`, `resolved`. */
  told(name: string): string[] {
    return this.webhook.heard
      .map(({ body }) => body as Told)
      .filter(({ labels }) => labels.alertname === name)
      .map(({ event }) => event)
  }
}
