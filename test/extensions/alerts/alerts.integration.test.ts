import { describe, expect, it } from 'vitest'
import { healthAt } from '../../e2e/health.ts'
import { eventually } from '../../e2e/sluice.ts'
import { PROMISE, WatchedService } from './watched-service.ts'

const SEVERAL = 'processes: [{ pipelines: [logs/gateway], count: 2 }, { pipelines: [logs/drain] }]'

// Each has servers of its own, and mostly waits.
describe.each([
  ['one process', ''],
  ['several processes', SEVERAL],
])('alerts of a service of %s', (_, processes) => {
  it.concurrent('come in time when Redis may evict, and go when it may no more', async () => {
    await using service = await WatchedService.start(processes)
    await service.expectAlert({
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
    await service.expectAlert({
      alert: 'SluiceRedisUnreachable',
      labels: { severity: 'critical', component: 'connector/redis' },
      cause: () => service.redis.kill(),
      repair: () => service.redis.restart(),
    })
  })

  it.concurrent('come in time when the destination is down under load, and go when it is up', async () => {
    await using service = await WatchedService.start(processes)
    await using _load = service.load()
    await service.expectAlert({
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
