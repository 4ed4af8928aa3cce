import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RedisClient } from '../../../connectors/redis/connection/client.ts'
import { Connection } from '../../../connectors/redis/connection/connection.ts'
import { redis } from '../../../connectors/redis/index.ts'
import { Naming } from '../../../connectors/redis/stream/naming.ts'
import { Registry } from '../../../connectors/redis/stream/registry.ts'
import { newIdentityKey } from '../../../src/logs/identity.ts'
import { GROUP, newStream } from './harness.ts'
import { admin, server } from './server-for-all.ts'

const LONG = 20 * 60_000

let connection: Connection
let client: RedisClient
let naming: Naming

beforeEach(async () => {
  const config = redis.config.parse({
    url: server.url,
    stream: '{service.name}',
    key_prefix: newStream(),
  })
  naming = new Naming(config, [GROUP])
  connection = new Connection(config, 'test')
  client = await connection.reach('test', naming.identity)
})
afterEach(() => connection.close())

const newRegistry = (maxStreams = 100): Registry =>
  new Registry({ client, clientOf: (key) => connection.reach('test', key), naming, maxStreams })
const refreshed = async (registry: Registry): Promise<Registry> => {
  await registry.refresh(newIdentityKey())
  return registry
}
const listed = (): Promise<string[]> => admin.zrange(naming.streams, '0', '-1')

describe('the registry of streams', () => {
  it('forgets a stream that is empty and long idle, and what is left of it', async () => {
    const registry = newRegistry()
    await registry.admit('shop')
    await admin.hset(naming.keys('shop').stats(GROUP), 'pushed', 7)
    await refreshed(registry)

    expect(await registry.forgetIdle()).toEqual([])
    expect(await registry.forgetIdle(performance.now() + LONG)).toEqual(['shop'])

    expect(await admin.keys(`*{shop}*`)).toEqual([])
    expect(await listed()).toEqual([])
  })

  it.each([
    ['something waits', 'queue'],
    ['a drain is at it', 'workers'],
    ['dead letters are kept', 'dead'],
  ])('keeps a stream where %s', async (_, what) => {
    const registry = newRegistry()
    await registry.admit('shop')
    await refreshed(registry)
    const keys = naming.keys('shop')

    if (what === 'workers') await admin.zadd(keys.workers(GROUP), 1, 'worker')
    else await admin.rpush(what === 'queue' ? keys.queue(GROUP) : keys.dead, 'element')

    expect(await registry.forgetIdle(performance.now() + LONG)).toEqual([])
    expect(await listed()).toEqual(['shop'])
  })

  it('keeps a stream that another gateway has used since it was last read', async () => {
    const [registry, other] = [newRegistry(), newRegistry()]
    await registry.admit('shop')
    await refreshed(registry)
    // As a gateway does that pushes to it: its own entry is older than the one it makes now.
    await other.confirm('shop')

    expect(await registry.forgetIdle(performance.now() + LONG)).toEqual([])

    expect(await listed()).toEqual(['shop'])
  })

  it('is told again of a stream that was forgotten between admission and acknowledgement', async () => {
    const [gateway, drain] = [newRegistry(), newRegistry()]
    await drain.admit('shop')
    await Promise.all([refreshed(gateway), refreshed(drain)])
    expect(await gateway.admit('shop')).toBe('shop')
    expect(await drain.forgetIdle(performance.now() + LONG)).toEqual(['shop'])

    await admin.rpush(naming.keys('shop').queue(GROUP), 'element')
    await gateway.confirm('shop')

    expect(await listed()).toEqual(['shop'])
  })

  it('admits as many streams as there may be, and those it has already', async () => {
    const [one, other] = [newRegistry(2), newRegistry(2)]

    expect(await one.admit('a')).toBe('a')
    expect(await other.admit('b')).toBe('b')

    expect(await one.admit('c')).toBe('overflow')
    expect(await refreshed(one).then((registry) => registry.admit('b'))).toBe('b')
    expect(await other.admit('a')).toBe('a')
    expect((await listed()).toSorted()).toEqual(['a', 'b', 'overflow'])
  })
})
