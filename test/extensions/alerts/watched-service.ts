import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { numberedRequest, postUntilAccepted } from '../../e2e/client.ts'
import { eventually, type Sluice, startSluice } from '../../e2e/sluice.ts'
import { type AlertmanagerServer, type KnownAlert, startAlertmanager } from '../../servers/alertmanager.ts'
import { freePort } from '../../servers/ports.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { type Destination, startDestination } from './destination.ts'
import { startWebServer, type WebServer } from './web-server.ts'

/** What is promised: milliseconds from the cause to the alert. */
export const PROMISE = 15_000

interface Told {
  readonly event: string
  readonly labels: Readonly<Record<string, string>>
}

/** What breaks, as the alert should say it, and how it is mended. */
export interface Trouble {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>>
  readonly cause: () => Promise<void> | void
  readonly repair: () => Promise<void> | void
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

  /** Expects every Alertmanager to have the alert in time after the cause, and to lose it after the repair. */
  async expectAlert({ alert: name, labels, cause, repair }: Trouble): Promise<void> {
    const everywhere = this.#managers.length
    expect(await this.firing(name)).toEqual([])
    const began = Date.now()
    await cause()
    await eventually(`${name} fires`, async () => (await this.firing(name)).length === everywhere)
    const seen = Date.now() - began

    const alerts = await this.firing(name)
    expect(seen, `${name} was seen after ${seen} ms`).toBeLessThan(PROMISE)
    for (const alert of alerts) {
      expect(alert.labels).toEqual({ alertname: name, instance: 'gw-1', cluster: 'eu', ...labels })
      expect(Date.parse(alert.startsAt) - began).toBeLessThan(PROMISE)
      expect(Date.parse(alert.endsAt)).toBeGreaterThan(Date.now() + 60_000)
      expect(alert.annotations.description).not.toBe('')
    }

    await repair()
    await eventually(`${name} is over`, async () => (await this.firing(name)).length === 0)
    await eventually('the webhook knows', async () => this.#told(name).at(-1) === 'resolved')
    expect(this.#told(name)).toContain('firing')
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#all.disposeAsync()
  }

  #told(name: string): string[] {
    return this.webhook.heard
      .map(({ body }) => body as Told)
      .filter(({ labels }) => labels.alertname === name)
      .map(({ event }) => event)
  }
}
