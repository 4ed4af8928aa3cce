import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { LogBatch } from '../../../src/logs/batch.ts'
import { startRedis } from '../../servers/redis.ts'
import { never } from '../../support/component.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  consume,
  eventually,
  GROUP,
  identities,
  keyOf,
  nameOf,
  newStream,
  openBuffer,
  statsOf,
  takeOne,
} from './harness.ts'
import { admin, server } from './server-for-all.ts'

/** A template no other test uses; streams are called `<it>-<service>`. */
const newTemplate = (): { stream: string; of: (service: string) => string } => {
  const prefix = newStream()
  return { stream: `${prefix}-{service.name}`, of: (service) => `${prefix}-${service}` }
}

const from = (...services: readonly string[]): LogBatch =>
  LogBatch.decode(
    Buffer.concat(services.map((service) => makeRequest({ records: 1, service, body: () => service }))),
  )

const waiting = (stream: string, group = GROUP): Promise<number> =>
  admin.llen(keyOf(stream, `queue:${group}`))

const homeOf = (template: string): string => keyOf(template.replace('{', '<').replace('}', '>'), 'streams')

describe('streams by template', () => {
  it('take each resource of a batch to its own list, under the ids of the whole', async () => {
    const { stream, of } = newTemplate()
    await using buffer = await openBuffer(server.url, { stream })
    const batch = from('shop', 'cart', 'shop')

    await buffer.push(batch)

    expect(await statsOf(admin, of('shop'))).toMatchObject({ records: 2, elements: 1 })
    expect(await statsOf(admin, of('cart'))).toMatchObject({ records: 1, elements: 1 })
    const consumer = consume(buffer.connector)
    const leases = [await consumer.next(), await consumer.next()]
    expect(leases.flatMap((lease) => identities(lease.batch)).toSorted()).toEqual(
      identities(batch).toSorted(),
    )
    for (const lease of leases) await lease.ack()
    await consumer.abort()
    expect(await statsOf(admin, of('shop'))).toMatchObject({ records: 0, acked: 2 })
    expect(await buffer.context.value('sluice_buffer_pushed_log_records_total')).toBe(3)
  })

  it('give the same request the same ids at every gateway', async () => {
    const { stream } = newTemplate()
    await using one = await openBuffer(server.url, { stream })
    await using other = await openBuffer(server.url, { stream })

    await one.push(from('shop'))
    await other.push(from('shop'))

    const first = identities(await takeOne(one.connector))
    expect(identities(await takeOne(one.connector))).toEqual(first)
  })

  it('are found by a drain that comes later, and by one that is there already', async () => {
    const { stream } = newTemplate()
    await using gateway = await openBuffer(server.url, { stream })
    await gateway.push(from('early'))
    await using drain = await openBuffer(server.url, { stream })
    const consumer = consume(drain.connector)

    const early = await consumer.next()
    expect(nameOf(early.batch)).toBe('early')
    await early.ack()
    await gateway.push(from('late'))
    const late = await consumer.next()

    expect(nameOf(late.batch)).toBe('late')
    await late.ack()
    await consumer.abort()
  })

  it('end in the overflow stream beyond max_streams, which is counted', async () => {
    const { stream } = newTemplate()
    const settings = { stream, max_streams: 2, key_prefix: newStream() }
    await using buffer = await openBuffer(server.url, settings)
    await using other = await openBuffer(server.url, settings)
    await buffer.push(from('a', 'b'))

    await other.push(from('c', 'd', 'a'))

    expect(await other.context.value('sluice_buffer_overflow_log_records_total')).toBe(2)
    const queues = await admin.keys(`${settings.key_prefix}:*:queue:*`)
    expect(queues).toHaveLength(3)
    expect(queues.filter((key) => key.includes('{overflow}'))).toHaveLength(1)
    const consumer = consume(buffer.connector)
    const taken = []
    for (let i = 0; i < 5; i++) {
      const lease = await consumer.next()
      taken.push(nameOf(lease.batch))
      await lease.ack()
      if (lease.batch.size > 1) i += lease.batch.size - 1
    }
    expect(new Set(taken).size).toBeGreaterThanOrEqual(3)
    await consumer.abort()
  })

  it('keep dead letters with the stream they are of, and sum up all depths', async () => {
    const { stream, of } = newTemplate()
    await using buffer = await openBuffer(server.url, { stream })
    await buffer.push(from('shop', 'cart', 'cart'))

    await buffer.connector.bury({ batch: from('shop', 'cart'), reason: 'refused', pipeline: GROUP }, never)

    for (const service of ['shop', 'cart']) expect(await admin.llen(keyOf(of(service), 'dead'))).toBe(1)
    await eventually(async () => (await buffer.context.value('sluice_dead_letter_records')) === 2)
    expect(await buffer.context.value('sluice_buffer_records', { group: GROUP })).toBe(3)
    expect(await buffer.context.value('sluice_buffer_elements', { group: GROUP })).toBe(2)
    expect(await buffer.context.value('sluice_buffer_streams')).toBe(2)
  })

  it('lose nothing to a killed drain, and pass all over in order within a stream', async () => {
    const { stream, of } = newTemplate()
    const settings = { stream, worker_timeout: '1s', heartbeat: '200ms' }
    await using buffer = await openBuffer(server.url, settings)
    for (let i = 0; i < 3; i++) await buffer.push(from('shop', 'cart'))
    const first = consume(buffer.connector)
    for (let i = 0; i < 6; i++) await first.next()
    for (const service of ['shop', 'cart']) {
      const key = keyOf(of(service), `workers:${GROUP}`)
      const [worker] = await admin.zrange(key, '0', '-1')
      await admin.zadd(key, 1, worker)
    }

    await using other = await openBuffer(server.url, settings)
    const second = consume(other.connector)
    for (let i = 0; i < 6; i++) await (await second.next()).ack()

    for (const service of ['shop', 'cart'])
      expect(await statsOf(admin, of(service))).toMatchObject({ records: 0, bytes: 0, acked: 3 })
    await Promise.all([first.abort(), second.abort()])
  })

  it('cost next to nothing while they are idle', async () => {
    const { stream } = newTemplate()
    await using own = await startRedis()
    const redis = new Redis(own.url)
    await using buffer = await openBuffer(own.url, { stream })
    const services = Array.from({ length: 60 }, (_, i) => `s${i}`)
    await buffer.push(from(...services))
    const consumer = consume(buffer.connector)
    for (const _ of services) await (await consumer.next()).ack()
    const idle = consumer.next(60_000).catch(() => undefined)
    const calls = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
    const scripts = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1])
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    const before = { calls: await calls(), scripts: await scripts() }

    await new Promise((resolve) => setTimeout(resolve, 3_000))

    // A look at every list's length twice a second, a beat and some reaping; not 60 streams 20 to 100 times a second.
    expect((await scripts()) - before.scripts).toBeLessThan(300)
    expect((await calls()) - before.calls).toBeLessThan(2_000)
    await buffer.push(from('s7'))
    await idle
    await consumer.abort()
    redis.disconnect()
  })

  it('share nothing but the registry: no script touches two slots of a cluster', async () => {
    await using own = await startRedis({ args: ['--cluster-enabled', 'yes'] })
    const redis = new Redis(own.url)
    await redis.cluster('ADDSLOTSRANGE', '0', '16383')
    await eventually(async () => (await redis.cluster('INFO')).includes('cluster_state:ok'))
    for (const settings of [
      { stream: 'x-{service.name}' },
      { list: 'q:{service.name}:z' },
      { list: 'q:fixed' },
    ]) {
      for (const groups of [[GROUP], ['logs/one', 'logs/two']]) {
        const key_prefix = newStream()
        await using buffer = await openBuffer(own.url, { ...settings, key_prefix, max_deliveries: 3 }, groups)
        await buffer.push(from('a', 'b'))
        await buffer.connector.bury({ batch: from('a', 'b'), reason: 'test', pipeline: groups[0] }, never)
        for (const group of groups) {
          const consumer = consume(buffer.connector, group)
          const lease = await consumer.next()
          await lease.release(0)
          for (let records = 0; records < 2; ) {
            const again = await consumer.next()
            records += again.batch.size
            await again.ack()
          }
          await consumer.abort()
        }
        const acked = 'sluice_buffer_acked_log_records_total'
        expect(await buffer.context.value(acked)).toBe(2 * groups.length)
      }
      await redis.flushall()
    }
    redis.disconnect()
  })
})

describe('the registry', () => {
  it('holds every stream something was pushed to', async () => {
    const { stream, of } = newTemplate()
    await using buffer = await openBuffer(server.url, { stream })

    await buffer.push(from('shop', 'cart'))

    expect((await admin.zrange(homeOf(stream), '0', '-1')).toSorted()).toEqual([of('cart'), of('shop')])
  })

  it('that is lost is made anew from what this process knows to hold something', async () => {
    const { stream, of } = newTemplate()
    await using buffer = await openBuffer(server.url, { stream })
    await buffer.push(from('shop'))
    await eventually(async () => (await buffer.context.value('sluice_buffer_records')) === 1)

    await admin.del(homeOf(stream))

    await eventually(async () => (await admin.zscore(homeOf(stream), of('shop'))) !== null)
    expect(nameOf(await takeOne(buffer.connector))).toBe('shop')
  })
})

describe('a list of a given name', () => {
  it('is just that list, and takes what other tools push into it', async () => {
    const list = `logqueue:${newStream()}:access`
    await using buffer = await openBuffer(server.url, { list })
    await buffer.push(from('ours'))
    await admin.rpush(list, makeRequest({ records: 2, body: () => 'theirs' }))
    const value = (name: string): Promise<number> => buffer.context.value(name, { group: GROUP })
    await eventually(async () => (await value('sluice_buffer_elements')) === 2)
    expect(await value('sluice_buffer_records')).toBe(1)

    const consumer = consume(buffer.connector)
    const leases = [await consumer.next(), await consumer.next()]

    expect(leases.map((lease) => nameOf(lease.batch))).toEqual(['ours', 'theirs'])
    await eventually(async () => (await value('sluice_buffer_in_flight_elements')) === 2)
    await leases[1].ack()
    await eventually(async () => (await value('sluice_buffer_in_flight_elements')) === 1)
    expect(await statsOf(admin, list)).toMatchObject({ records: 1, elements: 1, acked: 2 })
    await leases[0].ack()
    expect(await admin.exists(list)).toBe(0)
    await consumer.abort()
  })

  it('has one list for every group where there are several', async () => {
    const list = `logqueue:${newStream()}`
    await using buffer = await openBuffer(server.url, { list }, ['a', 'b'])

    await buffer.push(from('shop'))

    for (const group of ['a', 'b']) expect(await admin.llen(`{${list}}:${group}`)).toBe(1)
    for (const group of ['a', 'b']) expect(nameOf(await takeOne(buffer.connector, group))).toBe('shop')
  })
})

describe('several groups', () => {
  it('get all of a push or nothing of it, in the same order', async () => {
    const groups = ['logs/one', 'logs/two']
    const stream = newStream()
    const settings = { stream, max_bytes: '40KiB', compression: 'none', linger: '0ms' }
    await using one = await openBuffer(server.url, settings, groups)
    await using other = await openBuffer(server.url, settings, groups)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => (i % 2 ? one : other).push(from(`${i}`.repeat(200)))),
    )

    const [first, second] = await Promise.all(
      groups.map((group) => admin.lrange(keyOf(stream, `queue:${group}`), 0, -1)),
    )

    expect(first).toEqual(second)
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
  })

  it('do not wait for one whose destination is dead', async () => {
    const groups = ['logs/alive', 'logs/dead']
    await using buffer = await openBuffer(server.url, { prefetch: 4 }, groups)
    const dead = consume(buffer.connector, 'logs/dead')
    const alive = consume(buffer.connector, 'logs/alive')
    await buffer.push(from('0'))
    await dead.next()

    for (let i = 1; i <= 50; i++) {
      await buffer.push(from(`${i}`))
      await (await alive.next()).ack()
    }

    expect(await statsOf(admin, buffer.stream, 'logs/alive')).toMatchObject({ acked: 50, elements: 1 })
    expect(await statsOf(admin, buffer.stream, 'logs/dead')).toMatchObject({ elements: 51 })
    await Promise.all([alive.abort(), dead.abort()])
  })

  it('of which one is no longer configured make health and a gauge say what is left, until it is deleted', async () => {
    const stream = newStream()
    const before = await openBuffer(server.url, { stream }, [GROUP, 'logs/old'])
    await before.push(from('shop'))
    await eventually(async () => (await before.context.value('sluice_buffer_records')) === 2)
    await before.stop()

    await using after = await openBuffer(server.url, { stream })
    await after.push(from('shop'))

    const queue = keyOf(stream, 'queue:logs/old')
    const gauge = (): Promise<number> => after.context.value('sluice_buffer_abandoned_elements', { queue })
    await eventually(async () => (await gauge()) === 1)
    expect(after.context.states.at(-1)?.detail).toContain(`no pipeline reads ${queue} any more`)
    expect(await waiting(stream, 'logs/old')).toBe(1)
    await admin.del(queue)
    await eventually(async () => (await gauge()) === 0)
    await eventually(() => after.context.states.at(-1)?.state === 'ok')
  })
})
