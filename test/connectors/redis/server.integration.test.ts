import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../servers/ports.ts'
import { startRedis } from '../../servers/redis.ts'
import { never } from '../../support/component.ts'
import {
  batchOf,
  consume,
  eventually,
  identities,
  keyOf,
  named,
  nameOf,
  newStream,
  openBuffer,
  pushed,
  refusal,
  statsOf,
  takeOne,
} from './harness.ts'

function lastState(buffer: Awaited<ReturnType<typeof openBuffer>>) {
  return buffer.context.states.at(-1)
}

describe('the redis connector', () => {
  it('drains, beats and buries while Redis holds more than maxmemory, and refuses pushes', async () => {
    await using server = await startRedis()
    // Watermarks out of the way: Redis itself is to refuse.
    const marks = { memory_high_watermark: 1, memory_low_watermark: 0.99 }
    await using buffer = await openBuffer(server.url, { ...marks, compression: 'none', heartbeat: '100ms' })
    await using admin = disposable(new Redis(server.url))
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) await buffer.push(batchOf(1, () => name.padEnd(300_000, '.')))
    await admin.redis.config('SET', 'maxmemory', '1mb')

    await eventually(async () => (await buffer.context.value('sluice_buffer_watermark_state')) === 2)
    expect((await refusal(buffer.push(named('e')))).reason).toBe('watermark')
    const consumer = consume(buffer.connector)
    const held = []
    for (const _ of names) held.push(await consumer.next())
    await buffer.connector.bury({ batch: held[0].batch, reason: 'test', pipeline: 'logs/drain' }, never)
    await held[3].release(0)
    const again = await consumer.next()
    for (const lease of [again, ...held.slice(0, 3)]) await lease.ack()

    expect(held.map(({ batch }) => String(nameOf(batch))[0])).toEqual(names)
    expect(await statsOf(admin.redis, buffer.stream)).toMatchObject({ records: 0, acked: 4 })
    expect(await admin.redis.llen(keyOf(buffer.stream, 'dead'))).toBe(1)
    await expect(admin.redis.set('anything', 'else')).rejects.toThrow('OOM')
    await consumer.abort()
  })

  it('refuses from the high watermark on, and resumes below the low one', async () => {
    await using server = await startRedis({ args: ['--maxmemory', '200mb'] })
    await using buffer = await openBuffer(server.url, {
      memory_high_watermark: 0.7,
      memory_low_watermark: 0.5,
    })
    await using admin = disposable(new Redis(server.url))
    await buffer.push(named('a'))

    await admin.redis.setrange('ballast', 150_000_000, 'x')
    await eventually(async () => (await buffer.context.value('sluice_buffer_watermark_state')) === 2)
    expect((await refusal(buffer.push(named('b')))).reason).toBe('watermark')
    await eventually(() => lastState(buffer)?.state === 'degraded')

    await admin.redis.del('ballast')
    await admin.redis.setrange('ballast', 110_000_000, 'x')
    await sleep(1_500)
    expect(await buffer.context.value('sluice_buffer_watermark_state')).toBe(2)

    await admin.redis.del('ballast')
    await pushed(() => buffer.push(named('c')))
    await eventually(() => lastState(buffer)?.state === 'ok')
  })

  it('does not start where the policy may delete logs', async () => {
    await using server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })

    await expect(openBuffer(server.url)).rejects.toThrow(
      /^redis:\/\/127\.0\.0\.1:\d+ has maxmemory-policy allkeys-lru/,
    )
    await using lenient = await openBuffer(server.url, { require_noeviction: false })
    await lenient.push(named('a'))
    expect(lastState(lenient)).toMatchObject({ state: 'degraded' })
  })

  it('refuses pushes as soon as the policy is changed, and takes them again once it is mended', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)
    await using admin = disposable(new Redis(server.url))

    await admin.redis.config('SET', 'maxmemory-policy', 'volatile-lru')
    await eventually(() => lastState(buffer)?.state === 'failed')

    expect((await refusal(buffer.push(named('a')))).reason).toBe('policy')
    expect(await buffer.context.value('sluice_redis_noeviction')).toBe(0)
    await admin.redis.config('SET', 'maxmemory-policy', 'noeviction')
    await pushed(() => buffer.push(named('a')))
  })

  it('works, and warns, without maxmemory and without an append-only file', async () => {
    await using server = await startRedis({ args: ['--maxmemory', '0', '--appendonly', 'no'] })
    await using buffer = await openBuffer(server.url)

    await buffer.push(named('a'))

    expect(lastState(buffer)).toMatchObject({ state: 'degraded' })
    expect(lastState(buffer)?.detail).toMatch(/has no maxmemory.*appendonly off/)
  })

  it('refuses a push within command_timeout when Redis is frozen, and goes on when it thaws', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url, { command_timeout: '500ms' })
    await buffer.push(named('a'))
    const consumer = consume(buffer.connector)
    const first = await consumer.next()

    server.pause()
    const began = Date.now()
    const error = await refusal(buffer.push(named('b')))
    const acked = first.ack()

    expect(error.reason).toBe('timeout')
    expect(Date.now() - began).toBeLessThan(1_500)
    await sleep(1_000)
    expect((await refusal(buffer.push(named('b')))).reason).toMatch(/timeout|unreachable/)
    server.resume()
    await acked
    await pushed(() => buffer.push(named('c')))
    // What was pushed in vain may have arrived all the same: under the same id, which makes it harmless.
    const names: unknown[] = []
    while (names.at(-1) !== 'c') {
      const lease = await consumer.next()
      names.push(nameOf(lease.batch))
      await lease.ack()
    }
    expect([['c'], ['b', 'c']]).toContainEqual(names)
    await consumer.abort()
  })

  it('comes back after a restart of Redis with everything it had acknowledged, and the same ids', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)
    const batch = named('a')
    await buffer.push(batch)
    const consumer = consume(buffer.connector)
    const before = await consumer.next()

    await server.restart()
    await before.ack()
    await pushed(() => buffer.push(named('b')))

    // The server may not be the one that lent the batch: what was on loan is lent again.
    const again: string[][] = []
    for (let name: unknown; name !== 'b'; ) {
      const lease = await consumer.next()
      name = nameOf(lease.batch)
      if (name !== 'b') again.push(identities(lease.batch))
      await lease.ack()
    }
    expect([[], [identities(batch)]]).toContainEqual(again)
    await using admin = disposable(new Redis(server.url))
    expect(await statsOf(admin.redis, buffer.stream)).toMatchObject({ records: 0, elements: 0 })
    await consumer.abort()
  })

  it('starts without Redis, refuses meanwhile, and takes pushes once it is there', async () => {
    const port = await freePort()
    await using buffer = await openBuffer(`redis://:secret@127.0.0.1:${port}`)

    const error = await refusal(buffer.push(named('a')))

    expect(error.reason).toBe('unreachable')
    expect(error.message).toBe(
      `redis://127.0.0.1:${port} is unreachable: connect ECONNREFUSED 127.0.0.1:${port}`,
    )
    expect(lastState(buffer)).toMatchObject({ state: 'failed' })
    await using _server = await startRedis({ port, args: ['--requirepass', 'secret'] })
    await pushed(() => buffer.push(named('a')))
    expect(nameOf(await takeOne(buffer.connector))).toBe('a')
    await eventually(() => lastState(buffer)?.state === 'ok')
  })

  it('refuses, once it comes up, a Redis that was away at the start and may delete logs', async () => {
    const port = await freePort()
    await using buffer = await openBuffer(`redis://127.0.0.1:${port}`)

    await using _server = await startRedis({ port, args: ['--maxmemory-policy', 'allkeys-random'] })

    await eventually(() => /allkeys-random/.test(lastState(buffer)?.detail ?? ''))
    // The connection that pushes may come back later than the one that looks; until then it refuses as unreachable.
    const reason = async () => (await refusal(buffer.push(named('a')))).reason
    await expect.poll(reason, { timeout: 10_000 }).toBe('policy')
  })

  it('never tells a password', async () => {
    await using server = await startRedis({ args: ['--requirepass', 'right-password'] })
    await using buffer = await openBuffer(server.url.replace('//', '//user:wrong-password@'), {
      stream: newStream(),
    })

    const error = await refusal(buffer.push(named('a')))

    expect(error.reason).toBe('denied')
    const told = `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause)} ${JSON.stringify(buffer.context.states)}`
    expect(told).toContain('WRONGPASS')
    expect(told).not.toContain('wrong-password')
  })
})

function disposable(redis: Redis) {
  return {
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect()
    },
  }
}
