import { describe, expect, it } from 'vitest'
import { healthAt } from '../../e2e/health.ts'
import { eventually } from '../../e2e/sluice.ts'
import { WatchedService } from './watched-service.ts'

/** What is promised: milliseconds from the cause to the alert. */
const PROMISE = 15_000
const SEVERAL = 'processes: [{ pipelines: [logs/gateway], count: 2 }, { pipelines: [logs/drain] }]'

/** What breaks, as the alert should say it, and how it is mended. */
interface Trouble {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>>
  readonly cause: () => Promise<void> | void
  readonly repair: () => Promise<void> | void
}

/** Expects every Alertmanager to have the alert in time after the cause, and to lose it after the repair. */
async function expectAlert(service: WatchedService, { alert: name, labels, cause, repair }: Trouble) {
  expect(await service.firing(name)).toEqual([])
  const began = Date.now()
  await cause()
  await eventually(`${name} fires`, async () => (await service.firing(name)).length === service.managers)
  const seen = Date.now() - began

  const alerts = await service.firing(name)
  expect(seen, `${name} was seen after ${seen} ms`).toBeLessThan(PROMISE)
  for (const alert of alerts) {
    expect(alert.labels).toEqual({ alertname: name, instance: 'gw-1', cluster: 'eu', ...labels })
    expect(Date.parse(alert.startsAt) - began).toBeLessThan(PROMISE)
    expect(Date.parse(alert.endsAt)).toBeGreaterThan(Date.now() + 60_000)
    expect(alert.annotations.description).not.toBe('')
  }

  await repair()
  await eventually(`${name} is over`, async () => (await service.firing(name)).length === 0)
  await eventually('the webhook knows', async () => service.told(name).at(-1) === 'resolved')
  expect(service.told(name)).toContain('firing')
}

// Each has servers of its own, and mostly waits.
describe.each([
  ['one process', ''],
  ['several processes', SEVERAL],
])('alerts of a service of %s', (_, processes) => {
  it.concurrent('come in time when Redis may evict, and go when it may no more', async () => {
    await using service = await WatchedService.start(processes)
    await expectAlert(service, {
      alert: 'SluiceRedisMayEvict',
      labels: { severity: 'critical', component: 'connector/redis' },
      cause: () => service.setPolicy('allkeys-lru'),
      repair: () => service.setPolicy('noeviction'),
    })

    // The first message was answered with 500, and came again.
    const [first, ...others] = service.webhook.heard.map(({ body }) => JSON.stringify(body))
    expect(others).toContain(first)
    const metrics = await service.sluice.metrics()
    const sent = (receiver: string, outcome: string): number =>
      metrics.sum('sluice_alerts_sent_total', { receiver: `webhook/${receiver}`, outcome })
    expect(sent('chat', 'failed')).toBe(1)
    expect(sent('dead', 'sent')).toBe(0)
    expect(sent('dead', 'failed')).toBeGreaterThan(0)
    expect(metrics.sum('sluice_alerts_firing', { alertname: 'SluiceRedisMayEvict' })).toBe(0)
  })

  it.concurrent('come in time when Redis is gone, and go when it is back', async () => {
    await using service = await WatchedService.start(processes)
    await expectAlert(service, {
      alert: 'SluiceRedisUnreachable',
      labels: { severity: 'critical', component: 'connector/redis' },
      cause: () => service.redis.kill(),
      repair: () => service.redis.restart(),
    })
  })

  it.concurrent('come in time when the destination is down under load, and go when it is up', async () => {
    await using service = await WatchedService.start(processes)
    await using _load = service.load()
    await expectAlert(service, {
      alert: 'SluiceDestinationDown',
      labels: { severity: 'warning', component: 'exporter/elasticsearch' },
      cause: () => {
        service.destination.isUp = false
      },
      repair: () => {
        service.destination.isUp = true
      },
    })
  })
})

// One process has nobody who starts it again.
describe('alerts of several processes', () => {
  it('come when a process keeps ending', async () => {
    await using service = await WatchedService.start(SEVERAL)
    const seen = new Set<number>()
    for (let kills = 0; kills < 3; kills++) {
      await eventually('another process is well', async () => {
        const { state, pid = 0 } = (await healthAt(service.healthPort)).processes['gateway-2']
        if (state !== 'ok' || seen.has(pid)) return false
        seen.add(pid)
        process.kill(pid, 'SIGKILL')
        return true
      })
    }
    const began = Date.now()
    const firing = () => service.firing('SluiceProcessRestarts')
    await eventually('it is an alert', async () => (await firing()).length > 0)

    expect(Date.now() - began).toBeLessThan(PROMISE)
    const [alert] = await firing()
    expect(alert.labels).toMatchObject({ process: 'gateway-2', severity: 'warning' })
  })
})
