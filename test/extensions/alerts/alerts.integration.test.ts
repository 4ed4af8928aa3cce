import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { numberedRequest, postUntilAccepted } from '../../e2e/client.ts'
import { healthAt } from '../../e2e/health.ts'
import { eventually, type Sluice, startSluice } from '../../e2e/sluice.ts'
import { type AlertmanagerServer, type KnownAlert, startAlertmanager } from '../../servers/alertmanager.ts'
import { freePort } from '../../servers/ports.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { type Destination, startDestination } from './destination.ts'
import { startWebServer, type WebServer } from './web-server.ts'

/** What is promised: from the cause to the alert. */
const PROMISE = 15_000

interface Told {
  readonly event: string
  readonly labels: Readonly<Record<string, string>>
}

describe.each([
  ['one process', ''],
  ['several processes', 'processes: [{ pipelines: [logs/gateway], count: 2 }, { pipelines: [logs/drain] }]'],
])('alerts of a service of %s', (_, processes) => {
  let http: number
  let health: number
  let redis: RedisServer
  let managers: AlertmanagerServer[]
  let webhook: WebServer
  let destination: Destination
  let sluice: Sluice
  let all: AsyncDisposableStack

  beforeEach(async () => {
    await using started = new AsyncDisposableStack()
    ;[http, health] = [await freePort(), await freePort()]
    redis = started.use(await startRedis())
    managers = [started.use(await startAlertmanager()), started.use(await startAlertmanager())]
    webhook = started.use(await startWebServer(500, 200))
    destination = started.use(await startDestination())
    sluice = started.use(await startSluice({ config: config() }))
    all = started.move()
  })

  afterEach(() => all?.disposeAsync())

  const config = (): string => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
connectors:
  redis: { url: "${redis.url}" }
exporters:
  elasticsearch: { endpoint: "${destination.url}" }
extensions:
  health_check: { endpoint: "127.0.0.1:${health}" }
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
  ${processes}
  extensions: [health_check, alerts]
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`

  async function firing(name: string): Promise<KnownAlert[]> {
    const known = await Promise.all(managers.map((manager) => manager.alerts()))
    return known.flatMap((alerts) => alerts.filter(({ labels }) => labels.alertname === name))
  }

  /** Sends a request every 50 ms until the end of the test. */
  function load(): AsyncDisposable {
    const { bytes } = numberedRequest(0, 20, 'alerts')
    const over = new AbortController()
    const sending = (async () => {
      while (!over.signal.aborted) {
        await postUntilAccepted(http, bytes)
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

  async function setPolicy(policy: string): Promise<void> {
    const client = new Redis(redis.url)
    await client.config('SET', 'maxmemory-policy', policy)
    client.disconnect()
  }

  const told = (name: string): string[] =>
    webhook.heard
      .map(({ body }) => body as Told)
      .filter(({ labels }) => labels.alertname === name)
      .map(({ event }) => event)

  /** Expects every Alertmanager to have the alert in time after the cause, and to lose it after the repair. */
  async function expectAlert(
    name: string,
    labels: Readonly<Record<string, string>>,
    cause: () => Promise<void> | void,
    repair: () => Promise<void> | void,
  ): Promise<void> {
    expect(await firing(name)).toEqual([])
    const began = Date.now()
    await cause()
    await eventually(`${name} fires`, async () => (await firing(name)).length === managers.length)
    const seen = Date.now() - began

    const alerts = await firing(name)
    expect(seen, `${name} was seen after ${seen} ms`).toBeLessThan(PROMISE)
    for (const alert of alerts) {
      expect(alert.labels).toEqual({ alertname: name, instance: 'gw-1', cluster: 'eu', ...labels })
      expect(Date.parse(alert.startsAt) - began).toBeLessThan(PROMISE)
      expect(Date.parse(alert.endsAt)).toBeGreaterThan(Date.now() + 60_000)
      expect(alert.annotations.description).not.toBe('')
    }

    await repair()
    await eventually(`${name} is over`, async () => (await firing(name)).length === 0)
    await eventually('the webhook knows', async () => told(name).at(-1) === 'resolved')
    expect(told(name)).toContain('firing')
  }

  it('come in time when Redis may evict, and go when it may no more', async () => {
    await expectAlert(
      'SluiceRedisMayEvict',
      { severity: 'critical', component: 'connector/redis' },
      () => setPolicy('allkeys-lru'),
      () => setPolicy('noeviction'),
    )

    // The first message was answered with 500, and came again.
    const [first, ...others] = webhook.heard.map(({ body }) => JSON.stringify(body))
    expect(others).toContain(first)
    const metrics = await sluice.metrics()
    expect(metrics.sum('sluice_alerts_sent_total', { receiver: 'webhook/chat', outcome: 'failed' })).toBe(1)
    expect(metrics.sum('sluice_alerts_sent_total', { receiver: 'webhook/dead', outcome: 'sent' })).toBe(0)
    expect(
      metrics.sum('sluice_alerts_sent_total', { receiver: 'webhook/dead', outcome: 'failed' }),
    ).toBeGreaterThan(0)
    expect(metrics.sum('sluice_alerts_firing', { alertname: 'SluiceRedisMayEvict' })).toBe(0)
  })

  it('come in time when Redis is gone, and go when it is back', async () => {
    await expectAlert(
      'SluiceRedisUnreachable',
      { severity: 'critical', component: 'connector/redis' },
      () => redis.kill(),
      () => redis.restart(),
    )
  })

  it('come in time when the destination is down under load, and go when it is up', async () => {
    await using _load = load()
    await expectAlert(
      'SluiceDestinationDown',
      { severity: 'warning', component: 'exporter/elasticsearch' },
      () => {
        destination.isUp = false
      },
      () => {
        destination.isUp = true
      },
    )
  })

  // One process has nobody who starts it again.
  if (processes === '') return

  it('come when a process keeps ending', async () => {
    const seen = new Set<number>()
    for (let kills = 0; kills < 3; kills++) {
      await eventually('another process is well', async () => {
        const { state, pid = 0 } = (await healthAt(health)).processes['gateway-2']
        if (state !== 'ok' || seen.has(pid)) return false
        seen.add(pid)
        process.kill(pid, 'SIGKILL')
        return true
      })
    }
    const began = Date.now()
    await eventually('it is an alert', async () => (await firing('SluiceProcessRestarts')).length > 0)

    expect(Date.now() - began).toBeLessThan(PROMISE)
    const [alert] = await firing('SluiceProcessRestarts')
    expect(alert.labels).toMatchObject({ process: 'gateway-2', severity: 'warning' })
  })
})
