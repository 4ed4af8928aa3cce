import { describe, expect, it } from 'vitest'
import type { RedisConfig } from '../../../connectors/redis/config.ts'
import { describe as describeError } from '../../../connectors/redis/connection/errors.ts'
import { parseInfo, serverInfo } from '../../../connectors/redis/connection/info.ts'
import { redis } from '../../../connectors/redis/index.ts'
import { judge } from '../../../connectors/redis/server/verdict.ts'

const rules: RedisConfig = redis.config.parse({})

const info = (fields: Readonly<Record<string, string | number>> = {}) => {
  const lines = Object.entries({
    redis_version: '7.0.15',
    used_memory: 100,
    maxmemory: 1000,
    maxmemory_policy: 'noeviction',
    aof_enabled: 1,
    ...fields,
  })
  return serverInfo(parseInfo(['# All', ...lines.map(([key, value]) => `${key}:${value}`)].join('\r\n')))
}

describe('judging a Redis server', () => {
  it('finds nothing wrong with one that keeps what it accepts', () => {
    expect(judge(info(), rules)).toEqual([])
  })

  it.each([
    [{ maxmemory_policy: 'allkeys-lru' }, 'evicting', 'failed', 'policy', 'maxmemory-policy allkeys-lru'],
    [{ maxmemory_policy: '' }, 'evicting', 'failed', 'policy', 'maxmemory-policy unknown'],
    [{ redis_version: '6.2.14' }, undefined, 'failed', 'version', '7.0 or later'],
    [{ maxmemory: 0 }, 'no_maxmemory', 'degraded', undefined, 'no maxmemory'],
    [{ aof_enabled: 0 }, 'aof_off', 'degraded', undefined, 'appendonly off'],
    [{ role: 'slave' }, 'readonly', 'failed', 'readonly', 'lead to the primary'],
    [{ loading: 1 }, 'loading', 'failed', 'loading', 'reading its data'],
    [{ aof_last_write_status: 'err' }, 'misconf', 'failed', 'misconf', 'free space'],
    [{ rdb_last_bgsave_status: 'err' }, 'misconf', 'degraded', undefined, 'last snapshot'],
    [{ aof_last_bgrewrite_status: 'err' }, 'misconf', 'degraded', undefined, 'rewrite'],
    [{ min_slaves_good_slaves: 0 }, 'replica_missing', 'failed', 'no_replicas', 'min-replicas-to-write'],
  ])('says what is wrong with %j', (fields, state, health, refusal, detail) => {
    const findings = judge(info(fields), rules)

    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ state, health })
    expect(findings[0].refusal).toBe(refusal)
    expect(findings[0].detail).toContain(detail)
  })

  it('only warns of eviction where that is allowed', () => {
    const findings = judge(info({ maxmemory_policy: 'allkeys-lru' }), { ...rules, require_noeviction: false })

    expect(findings).toMatchObject([{ state: 'evicting', health: 'degraded' }])
    expect(findings[0].refusal).toBeUndefined()
  })

  it('counts the replicas that follow, not those that are still to', () => {
    const replicas = {
      role: 'master',
      connected_slaves: 2,
      slave0: 'ip=10.0.0.1,port=6379,state=online,offset=14,lag=0',
      slave1: 'ip=10.0.0.2,port=6379,state=wait_bgsave,offset=0,lag=0',
      min_slaves_good_slaves: 1,
    }

    expect(judge(info(replicas), { ...rules, require_replicas: 1 })).toEqual([])
    expect(judge(info(replicas), { ...rules, require_replicas: 2 })).toMatchObject([
      { state: 'replica_missing', refusal: 'no_replicas' },
    ])
  })

  it('says everything that is wrong at once', () => {
    const states = judge(info({ maxmemory: 0, aof_enabled: 0, role: 'slave' }), rules).map(
      ({ state }) => state,
    )

    expect(states).toEqual(['no_maxmemory', 'aof_off', 'readonly'])
  })
})

describe('an answer of Redis', () => {
  const reply = (message: string): Error =>
    Object.assign(new Error(message), { name: 'ReplyError', command: {} })

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'full'],
    ['MISCONF Errors writing to the AOF file: No space left on device', 'misconf'],
    ["READONLY You can't write against a read only replica.", 'readonly'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ['NOREPLICAS Not enough good replicas to write.', 'no_replicas'],
    ['NOAUTH Authentication required.', 'denied'],
    ['ERR something else', 'refused'],
  ])('%s counts as %s', (message, reason) => {
    const error = describeError('redis://cache:6379', reply(message))

    expect(error.reason).toBe(reason)
    expect(error.message).toMatch(/^redis:\/\/cache:6379 answered [A-Z]+: /)
    expect(error.cause).not.toHaveProperty('command')
  })
})

describe('the settings of the redis connector', () => {
  it.each([
    [{ url: 'http://127.0.0.1' }, 'redis://host:port'],
    [{ stream: 'a:{b}' }, 'stream'],
    [{ memory_low_watermark: 0.9 }, 'must be below memory_high_watermark'],
    [{ memory_warn_watermark: 0.9 }, 'must not be above memory_high_watermark'],
    [{ shedding: { debug: 0.85 } }, 'from which on everything is refused'],
    [{ shedding: { debug: 0.8, info: 0.7 } }, 'DEBUG gives way first'],
    [{ shedding: { warn: 0.8 } }, 'warn'],
    [{ max_records: 1.5 }, 'max_records'],
    [{ require_replicas: -1 }, 'require_replicas'],
    [{ heartbeat: '20s' }, 'at most half of worker_timeout'],
    [{ element_size: '10B' }, '1KiB or more'],
  ])('do not allow %j', (settings, message) => {
    expect(redis.config.safeParse(settings).error?.message).toContain(message)
  })
})
