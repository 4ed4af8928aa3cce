import { describe, expect, it } from 'vitest'
import { quantile } from '../../../extensions/alerts/quantile.ts'
import { rules } from '../../../extensions/alerts/rules/index.ts'
import { Scene, type Values, WELL } from './scene.ts'

const BUFFER = '{connector=redis,group=logs/drain}'
const AGE = `sluice_buffer_oldest_age_seconds${BUFFER}`

describe('the states of Redis', () => {
  it.each([
    ['evicting', 'SluiceRedisMayEvict critical'],
    ['no_maxmemory', 'SluiceRedisNoMaxmemory warning'],
    ['aof_off', 'SluiceRedisNotDurable warning'],
    ['replica_missing', 'SluiceRedisReplicaMissing warning'],
    ['misconf', 'SluiceRedisCannotPersist critical'],
    ['readonly', 'SluiceRedisReadOnly critical'],
    ['loading', 'SluiceRedisLoading warning'],
    ['busy', 'SluiceRedisBusy warning'],
    ['unreachable', 'SluiceRedisUnreachable critical'],
    ['failover', 'SluiceRedisFailover warning'],
  ])('%s is %s', async (state, alert) => {
    const scene = new Scene()
    const gauge = `sluice_redis_state{connector=redis,state=${state}}`
    await scene.pass(30, { [gauge]: 0 })
    await scene.pass(15, { [gauge]: 1 })

    expect(scene.story).toEqual([`35s firing ${alert}`])
    expect(scene.said[0].labels).toEqual({ component: 'connector/redis' })
  })

  it.each([
    ['sluice_redis_noeviction', 'SluiceRedisMayEvict critical'],
    ['sluice_redis_maxmemory_bytes', 'SluiceRedisNoMaxmemory warning'],
    ['sluice_redis_appendonly', 'SluiceRedisNotDurable warning'],
    ['sluice_redis_connected', 'SluiceRedisUnreachable critical'],
  ])('are told by %s where there is no state', async (gauge, alert) => {
    const scene = new Scene()
    await scene.pass(30, { [`${gauge}{connector=redis}`]: 1 })
    await scene.pass(15, { [`${gauge}{connector=redis}`]: 0 })

    expect(scene.story).toEqual([`35s firing ${alert}`])
  })

  it('are two alerts for two servers', async () => {
    const scene = new Scene()
    await scene.pass(15, {
      'sluice_redis_connected{connector=redis/a}': 0,
      'sluice_redis_connected{connector=redis/b}': 0,
    })

    expect(scene.firing.map(({ labels }) => labels)).toEqual([
      { component: 'connector/redis/a' },
      { component: 'connector/redis/b' },
    ])
  })
})

describe('delivery', () => {
  it('raises SluiceDestinationDown for a circuit that stays open, not for one that opens shortly', async () => {
    const scene = new Scene()
    const circuit = 'sluice_exporter_circuit_open{exporter=elasticsearch}'
    await scene.pass(60, (seconds) => ({ [circuit]: (seconds / 5) % 2 }))
    expect(scene.story).toEqual([])

    await scene.pass(15, { [circuit]: 1 })
    expect(scene.said[0]).toMatchObject({
      name: 'SluiceDestinationDown',
      severity: 'warning',
      labels: { component: 'exporter/elasticsearch' },
    })
  })

  it('raises SluiceDestinationUnauthorized until no attempt is refused for want of rights', async () => {
    const scene = new Scene()
    const failed = (reason: string) =>
      `sluice_exporter_failed_attempts_total{exporter=elasticsearch,reason=${reason}}`
    await scene.pass(60, (at) => ({ [failed('unauthorized')]: 0, [failed('status_503')]: at }))
    expect(scene.story).toEqual([])

    // A probe each 30 s, then some records of each request.
    await scene.pass(120, (at) => ({ [failed('unauthorized')]: Math.floor(at / 30) }))
    await scene.pass(60, (at) => ({ [failed('unauthorized')]: 5, [failed('status_403')]: at }))
    expect(scene.firing).toHaveLength(1)
    expect(scene.said).toHaveLength(1)
    expect(scene.said[0]).toMatchObject({
      name: 'SluiceDestinationUnauthorized',
      severity: 'critical',
      labels: { component: 'exporter/elasticsearch' },
      summary: expect.stringMatching(/^elasticsearch may not write: \d+ attempts? refused in the last 1m$/),
    })

    await scene.pass(120, { [failed('unauthorized')]: 5, [failed('status_403')]: 235 })
    expect(scene.firing).toEqual([])
  })

  it('raises SluiceDeadLetters with the first one, gravely when they are many', async () => {
    const scene = new Scene()
    const letters = 'sluice_dead_letter_log_records_total{connector=redis,pipeline=logs/drain}'
    await scene.pass(30, {})
    await scene.pass(30, { [letters]: 1 })
    await scene.pass(30, { [letters]: 1500 })
    await scene.pass(900, { [letters]: 1500 })

    expect(scene.story).toEqual([
      '35s firing SluiceDeadLetters warning',
      '65s severity SluiceDeadLetters critical',
      expect.stringMatching(/^\d+s resolved SluiceDeadLetters critical$/),
    ])
    expect(scene.said[0].summary).toBe('1 record of logs/drain refused for good in the last 10m')
    expect(scene.said[2].at).toBeLessThan(30 + 30 + 600 + 70)
  })

  it('raises SluiceDeliveryDelayed by the last minute alone', async () => {
    const scene = new Scene()
    const buckets = (quick: number, slow: number): Values =>
      Object.fromEntries(
        [60, 120, 300, '+Inf'].map((le) => [
          `sluice_end_to_end_latency_seconds_bucket{exporter=file,le=${le}}`,
          quick + (le === 300 || le === '+Inf' ? slow : 0),
        ]),
      )
    // Many were quick for an hour; then one of fifty is slow.
    await scene.pass(120, buckets(1_000_000, 0))
    await scene.pass(90, (seconds) => buckets(1_000_000 + 49 * (seconds - 115), seconds - 115))
    const last = buckets(1_000_000 + 49 * 90, 90)
    await scene.pass(180, last)

    expect(scene.story[0]).toBe('125s firing SluiceDeliveryDelayed warning')
    expect(scene.said[0].summary).toMatch(/^delivery to file takes [23]m( \d+s)? \(99th percentile/)
    expect(scene.story.slice(1)).toEqual(['290s resolved SluiceDeliveryDelayed warning'])
  })

  it('reads quantiles off buckets as Prometheus does', () => {
    const buckets = [
      [1, 50],
      [2, 90],
      [4, 90],
      [Number.POSITIVE_INFINITY, 100],
    ] as const

    expect(quantile(0.5, buckets)).toBe(1)
    expect(quantile(0.7, buckets)).toBe(1.5)
    expect(quantile(0.99, buckets)).toBe(4)
    expect(quantile(0.99, [[1, 0]])).toBeUndefined()
  })
})

describe('health', () => {
  it('raises SluiceComponentFailed with what the component says', async () => {
    const scene = new Scene()
    await scene.pass(10, {})
    scene.status = {
      ...WELL,
      state: 'failed',
      components: {
        'connector/redis': { state: 'failed', detail: 'redis:6379 did not answer' },
        'receiver/otlp': { state: 'degraded' },
      },
    }
    await scene.pass(10, {})

    expect(scene.story).toEqual(['15s firing SluiceComponentFailed critical'])
    expect(scene.said[0]).toMatchObject({
      labels: { component: 'connector/redis' },
      summary: 'connector/redis has failed: redis:6379 did not answer',
    })
  })

  it('raises one alert for a component that has failed in several processes', async () => {
    const scene = new Scene()
    const process = {
      state: 'failed' as const,
      pid: 1,
      components: { 'connector/redis': { state: 'failed' as const } },
    }
    scene.status = { ...WELL, processes: { 'gateway-1': process, 'gateway-2': process } }
    await scene.pass(10, {})

    expect(scene.story).toEqual(['5s firing SluiceComponentFailed critical'])
  })

  it('raises SluiceProcessDown, gravely when no other process does its work', async () => {
    const scene = new Scene()
    const down = (state: 'degraded' | 'failed') => ({
      ...WELL,
      processes: {
        'gateway-1': {
          state,
          detail: 'it ended with SIGKILL and starts again',
          pid: undefined,
          components: {},
        },
        'gateway-2': { state: 'starting' as const, pid: 1, components: {} },
      },
    })
    scene.status = down('degraded')
    await scene.pass(30, {})
    scene.status = down('failed')
    await scene.pass(30, {})

    expect(scene.story).toEqual([
      '5s firing SluiceProcessDown warning',
      '35s severity SluiceProcessDown critical',
    ])
    expect(scene.said[0]).toMatchObject({
      labels: { process: 'gateway-1' },
      summary: 'gateway-1 is down: it ended with SIGKILL and starts again',
    })
  })

  it('raises SluiceProcessRestarts at the third in ten minutes, for whatever reason each was', async () => {
    const scene = new Scene()
    const restarts = (exits: number, signals: number) => ({
      'sluice_process_restarts_total{process=drain-1,reason=exit}': exits,
      'sluice_process_restarts_total{process=drain-1,reason=signal}': signals,
    })
    await scene.pass(60, restarts(0, 0))
    await scene.pass(60, restarts(1, 1))
    expect(scene.story).toEqual([])
    await scene.pass(60, restarts(1, 2))

    expect(scene.story).toEqual(['125s firing SluiceProcessRestarts warning'])
    expect(scene.said[0].summary).toBe('drain-1 was started again 3 times in the last 10m')
  })
})

describe('every rule', () => {
  it('has a name and a key of its own', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
    expect(new Set(rules.map(({ key }) => key)).size).toBe(rules.length)
  })

  it('can be switched off', async () => {
    const off = Object.fromEntries(rules.map(({ key }) => [key, { enabled: false }]))
    const scene = new Scene({ rules: off })
    scene.status = { ...WELL, components: { 'connector/redis': { state: 'failed' } } }
    await scene.pass(30, { 'sluice_redis_connected{connector=redis}': 0, [AGE]: 4000 })

    expect(scene.story).toEqual([])
    expect(scene.counts.size).toBe(0)
  })

  it('shows in the gauge how many alerts of its kind fire', async () => {
    const scene = new Scene()
    await scene.pass(15, { 'sluice_redis_connected{connector=redis}': 0 })

    expect(scene.counts.size).toBe(rules.length * 2)
    expect([...scene.counts].filter(([, count]) => count > 0)).toEqual([
      ['SluiceRedisUnreachable critical', 1],
    ])
  })

  it('is silent while the service stops', async () => {
    const scene = new Scene()
    scene.status = { ...WELL, state: 'stopping' }
    await scene.pass(60, { 'sluice_redis_connected{connector=redis}': 0 })

    expect(scene.story).toEqual([])
  })

  it('looks on when another one stumbles', async () => {
    const scene = new Scene()
    Object.defineProperty(scene, 'status', {
      get: () => ({
        get components() {
          throw new Error('broken')
        },
      }),
    })
    await scene.pass(15, { 'sluice_redis_connected{connector=redis}': 0 })

    expect(scene.story).toEqual(['5s firing SluiceRedisUnreachable critical'])
    expect(scene.logged.join()).toContain('"rule":"component_failed"')
  })
})
