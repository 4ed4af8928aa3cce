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
    expect(judge(info(), rules, false)).toEqual({
      health: 'ok',
      detail: '',
      refusal: undefined,
      memoryRatio: 0.1,
    })
  })

  it.each([
    [{ maxmemory_policy: 'allkeys-lru' }, 'failed', 'policy', 'maxmemory-policy allkeys-lru'],
    [{ maxmemory_policy: '' }, 'failed', 'policy', 'maxmemory-policy unknown'],
    [{ redis_version: '6.2.14' }, 'failed', 'version', '7.0 or later'],
    [{ used_memory: 850 }, 'degraded', 'watermark', 'uses 85% of its maxmemory'],
    [{ maxmemory: 0 }, 'degraded', undefined, 'no maxmemory'],
    [{ aof_enabled: 0 }, 'degraded', undefined, 'appendonly off'],
  ])('says what is wrong with %j', (fields, health, refusal, detail) => {
    const verdict = judge(info(fields), rules, false)

    expect(verdict).toMatchObject({ health, refusal })
    expect(verdict.detail).toContain(detail)
  })

  it('refuses between the watermarks only on the way down', () => {
    const between = info({ used_memory: 800 })

    expect(judge(between, rules, false).refusal).toBeUndefined()
    expect(judge(between, rules, true).refusal).toBe('watermark')
    expect(judge(info({ used_memory: 749 }), rules, true).refusal).toBeUndefined()
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
    [{ heartbeat: '20s' }, 'at most half of worker_timeout'],
    [{ element_size: '10B' }, '1KiB or more'],
  ])('do not allow %j', (settings, message) => {
    expect(redis.config.safeParse(settings).error?.message).toContain(message)
  })
})
