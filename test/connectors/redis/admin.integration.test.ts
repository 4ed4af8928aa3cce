import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { redis } from '../../../connectors/redis/index.ts'
import type { BufferAdmin } from '../../../src/buffer/admin.ts'
import { packElement } from '../../../src/buffer/element.ts'
import { elementsOf, type Letter, readLetter } from '../../../src/buffer/letters.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { startCluster } from '../../servers/redis-cluster.ts'
import { never } from '../../support/component.ts'
import { attributes, batchOf, text } from '../../support/otlp.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  consume,
  eventually,
  GROUP,
  identities,
  keyOf,
  named,
  nameOf,
  newStream,
  type OpenBuffer,
  openBuffer,
  statsOf,
  takeOne,
} from './harness.ts'
import { admin as client, server } from './server-for-all.ts'

/** As a command opens it. */
async function administer(settings: object): Promise<BufferAdmin & AsyncDisposable> {
  const config = redis.config.parse({ url: server.url, ...settings })
  const admin = await redis.administer?.(config, { groups: [GROUP], log: pino({ level: 'silent' }) })
  if (admin === undefined) throw new Error('cannot be administered')
  return Object.assign(admin, { [Symbol.asyncDispose]: () => admin.close() })
}

async function lettersOf(admin: BufferAdmin): Promise<Letter[]> {
  const letters: Letter[] = []
  for await (const kept of admin.letters()) letters.push(readLetter(kept, admin.codec))
  return letters
}

const replay = (admin: BufferAdmin, letter: Letter, group = GROUP): Promise<boolean> =>
  admin.replay(
    letter.kept,
    { stream: letter.kept.stream, group },
    elementsOf(letter, admin.codec, admin.elementBytes),
  )

const ofTenant = (tenant: string, ...bodies: string[]): LogBatch =>
  batchOf(
    bodies.map((body) => ({ body: text(body) })),
    { attributes: attributes({ customer: text(tenant) }) },
  )

/** Takes the one element there is until it becomes a dead letter. */
async function deliverInVain({ connector, stream }: OpenBuffer): Promise<void> {
  const consumer = consume(connector)
  for (let i = 0; i < 3; i++) await (await consumer.next()).release(0)
  await eventually(async () => (await client.llen(keyOf(stream, 'dead'))) === 1)
  await consumer.abort()
}

const deadStats = async (stream: string): Promise<Record<string, string>> =>
  client.hgetall(keyOf(stream, 'dead:stats'))

describe('administration of a stream in Redis', () => {
  it('replays a letter with its ids and the counts exact, and only once, whoever asks', async () => {
    await using buffer = await openBuffer(server.url)
    const { stream } = buffer
    const batch = batchOf([{ body: text('a') }, { body: text('b') }, { body: text('c') }])
    await buffer.connector.bury({ batch: batch.select([0, 2]), reason: 'no', pipeline: GROUP }, never)
    await using one = await administer({ stream })
    await using other = await administer({ stream })
    const [letter] = await lettersOf(one)

    const moved = await Promise.all([replay(one, letter), replay(other, letter), replay(one, letter)])

    expect(moved.filter(Boolean)).toHaveLength(1)
    expect(await client.llen(keyOf(stream, 'dead'))).toBe(0)
    expect(await deadStats(stream)).toMatchObject({ records: '0', bytes: '0', elements: '0', buried: '2' })
    expect(await statsOf(client, stream)).toMatchObject({ records: 2, elements: 1, pushed: 2 })
    const replayed = await takeOne(buffer.connector)
    expect(replayed.letter).toBeUndefined()
    await buffer.push(batch)
    expect(identities(replayed)).toEqual([0, 2].map((i) => identities(batch)[i]))
    await eventually(async () => (await statsOf(client, stream)).elements === 1)
  })

  it('takes records in that were kept elsewhere, each in its stream and for one pipeline, counted as pushed', async () => {
    const template = `${newStream()}-{customer}`
    await using buffer = await openBuffer(server.url, { stream: template })
    await using admin = await administer({ stream: template })
    const batch = LogBatch.open(
      Buffer.concat(
        ['one', 'two'].flatMap((tenant) => {
          const part = ofTenant(tenant, `${tenant} a`, `${tenant} b`)
          part.identify(Buffer.alloc(32))
          return part.encode(1e6).map(({ bytes }) => bytes)
        }),
      ),
    )

    await admin.enqueue(GROUP, batch)

    for (const tenant of ['one', 'two']) {
      const stream = template.replace('{customer}', tenant)
      expect(await statsOf(client, stream)).toMatchObject({ records: 2, elements: 1, pushed: 2 })
      expect(await client.llen(keyOf(stream, 'dead'))).toBe(0)
    }
    const consumer = consume(buffer.connector)
    const taken = [await consumer.next(), await consumer.next()]
    expect(taken.flatMap((lease) => identities(lease.batch)).sort()).toEqual(identities(batch).sort())
    await consumer.abort()
  })

  it('takes in nothing that is not as durable as pushes are to be, nor anything when it is full', async () => {
    await using buffer = await openBuffer(server.url)
    const { stream } = buffer
    const batch = named('a')
    batch.identify(Buffer.alloc(32))
    await using admin = await administer({ stream })
    await using demanding = await administer({ stream, durability: 'always' })

    const careless = demanding.enqueue(GROUP, batch)
    await expect(careless).rejects.toThrow('appendfsync everysec: durability always needs yes and always')
    await client.config('SET', 'maxmemory', '1mb')
    const full = await admin.enqueue(GROUP, batch).catch((error: unknown) => String(error))
    await client.config('SET', 'maxmemory', '1gb')

    expect(full).toMatch(/OOM/)
    expect(await client.llen(keyOf(stream, `queue:${GROUP}`))).toBe(0)
    await admin.enqueue(GROUP, batch)
    expect(await client.llen(keyOf(stream, `queue:${GROUP}`))).toBe(1)
  })

  it('works on all streams that a template has led to, each in its own', async () => {
    const template = `${newStream()}-{customer}`
    await using buffer = await openBuffer(server.url, { stream: template })
    for (const tenant of ['one', 'two']) {
      await buffer.push(ofTenant(tenant, `queued ${tenant}`))
      await buffer.connector.bury(
        { batch: ofTenant(tenant, `dead ${tenant}`, 'more'), reason: `no ${tenant}`, pipeline: GROUP },
        never,
      )
    }
    await using admin = await administer({ stream: template })
    const streams = ['one', 'two'].map((tenant) => template.replace('{customer}', tenant))

    const { queues, dead } = await admin.stats()
    const letters = await lettersOf(admin)
    const [peeked] = await admin.peek({ stream: streams[1], group: GROUP }, 1)
    await replay(admin, letters[1])
    const purged = await admin.purge({ stream: streams[0], group: GROUP })

    expect(queues.map(({ stream, elements, records }) => [stream, elements, records])).toEqual(
      streams.map((stream) => [stream, 1, 1]),
    )
    expect(dead.map(({ stream, elements, records }) => [stream, elements, records])).toEqual(
      streams.map((stream) => [stream, 1, 2]),
    )
    expect(letters.map(({ kept, reason }) => [kept.stream, reason])).toEqual([
      [streams[0], 'no one'],
      [streams[1], 'no two'],
    ])
    expect(nameOf(admin.codec.open(peeked))).toBe('queued two')
    expect(purged).toMatchObject({ elements: 1, records: 1 })
    const after = await admin.stats()
    expect(after.queues.map(({ records }) => records)).toEqual([0, 3])
    expect(after.dead.map(({ records }) => records)).toEqual([2, 0])
  })

  it('replays what was buried for being handed out too often, and counts it as new', async () => {
    await using buffer = await openBuffer(server.url, { max_deliveries: 3 })
    const { stream } = buffer
    await buffer.push(named('suspect'))
    await deliverInVain(buffer)
    await using admin = await administer({ stream })
    const [letter] = await lettersOf(admin)

    expect(letter).toMatchObject({ pipeline: GROUP, reason: expect.stringContaining('handed out') as string })
    expect(letter.buriedMs).toBeGreaterThan(Date.now() - 60_000)
    await replay(admin, letter)

    expect(nameOf(await takeOne(buffer.connector))).toBe('suspect')
    expect(await deadStats(stream)).toMatchObject({ records: '0', elements: '0', bytes: '0' })
    await eventually(async () => (await statsOf(client, stream)).elements === 0)
    expect(await statsOf(client, stream)).toMatchObject({ records: 0, bytes: 0 })
  })

  it('replays what another tool had put in, without counting what nobody counted', async () => {
    await using buffer = await openBuffer(server.url, { max_deliveries: 3 })
    const { stream } = buffer
    await client.rpush(keyOf(stream, `queue:${GROUP}`), packElement(makeRequest({ records: 2 }), 'zstd'))
    await deliverInVain(buffer)
    await using admin = await administer({ stream })

    expect(await replay(admin, (await lettersOf(admin))[0])).toBe(true)

    expect((await takeOne(buffer.connector)).size).toBe(2)
    await eventually(async () => Number((await statsOf(client, stream)).acked) === 2)
    const { records = 0, bytes = 0, elements = 0 } = await statsOf(client, stream)
    expect([records, bytes, elements]).toEqual([0, 0, 0])
  })

  it('lists and moves more letters than are read at once, and not what is buried meanwhile', async () => {
    await using buffer = await openBuffer(server.url)
    const { stream, connector } = buffer
    const bury = (name: string): Promise<void> =>
      connector.bury({ batch: named(name), reason: name, pipeline: GROUP }, never)
    for (let i = 0; i < 50; i++) await bury(`letter ${i}`)
    await using admin = await administer({ stream })

    const moved: string[] = []
    for await (const kept of admin.letters()) {
      const letter = readLetter(kept, admin.codec)
      await bury('again')
      if (Number(letter.reason.slice(7)) % 3 === 0) continue
      if (await replay(admin, letter)) moved.push(letter.reason)
    }

    expect(moved).toHaveLength(33)
    expect(new Set(moved).size).toBe(33)
    const left = (await lettersOf(admin)).map(({ reason }) => reason)
    expect(left.filter((reason) => reason !== 'again')).toHaveLength(17)
    expect(left.filter((reason) => reason === 'again')).toHaveLength(50)
  })

  it('replays and drops in a Redis that is full', async () => {
    await using buffer = await openBuffer(server.url)
    const { stream, connector } = buffer
    await connector.bury({ batch: named('a'), reason: 'a', pipeline: GROUP }, never)
    await connector.bury({ batch: named('b'), reason: 'b', pipeline: GROUP }, never)
    await using admin = await administer({ stream })
    const [a, b] = await lettersOf(admin)
    await client.config('SET', 'maxmemory', '1mb')

    const done = [await replay(admin, a), await admin.drop(b.kept)]
    const purged = await admin.purge({ stream, group: GROUP })
    await client.config('SET', 'maxmemory', '1gb')

    expect(done).toEqual([true, true])
    expect(purged).toMatchObject({ elements: 1, records: 1 })
    expect(await client.llen(keyOf(stream, 'dead'))).toBe(0)
  })

  it('purges what waits, not what a drain holds, and tells how old the oldest is', async () => {
    await using buffer = await openBuffer(server.url, { prefetch: 1 })
    const { stream } = buffer
    const before = Date.now()
    for (const name of ['a', 'b', 'c']) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const held = await consumer.next()
    await using admin = await administer({ stream })
    // The consumer takes one ahead of what it lends.
    await eventually(async () => (await admin.stats()).queues[0].inFlight > 0)

    const [queue] = (await admin.stats()).queues
    const purged = await admin.purge({ stream, group: GROUP })
    const [after] = (await admin.stats()).queues

    expect(queue).toMatchObject({ elements: 3, records: 3, pushed: 3, left: 0 })
    expect(queue.oldestMs).toBeGreaterThanOrEqual(before - 1000)
    expect(purged.elements + queue.inFlight).toBe(3)
    expect(purged.records).toBe(purged.elements)
    expect(after).toMatchObject({ elements: queue.inFlight, records: queue.inFlight })
    await held.ack()
    await consumer.abort()
  })

  it('finds every stream of a cluster at the node that holds it', async () => {
    await using cluster = await startCluster()
    const settings = { cluster: { nodes: cluster.nodes.slice(0, 1) }, stream: '{customer}' }
    const tenants = ['one', 'two', 'three', 'four', 'five']
    await using buffer = await openBuffer(undefined, settings)
    for (const tenant of tenants) {
      const letters = { batch: ofTenant(tenant, tenant), reason: 'no', pipeline: GROUP }
      await buffer.connector.bury(letters, never)
    }
    await using admin = await administer({ url: undefined, ...settings })

    for (const letter of await lettersOf(admin)) expect(await replay(admin, letter)).toBe(true)
    const { queues, dead } = await admin.stats()
    const [one] = queues
    const purged = await admin.purge(one)

    expect(queues.map(({ stream, records }) => [stream, records])).toEqual(
      [...tenants].sort().map((tenant) => [tenant, 1]),
    )
    expect(dead.every(({ elements }) => elements === 0)).toBe(true)
    expect(purged).toMatchObject({ elements: 1, records: 1 })
  })

  it('needs no more than what docs/redis.md permits an operator', async () => {
    const stream = 'logs'
    await using buffer = await openBuffer(server.url, { stream })
    const rules = /^user operator (.*)$/m.exec(readFileSync('docs/redis.md', 'utf8'))?.[1].split(' ') ?? []
    await client.call('ACL', 'SETUSER', 'operator', 'reset', ...rules)
    for (const name of ['a', 'b']) {
      await buffer.connector.bury({ batch: named(name), reason: name, pipeline: GROUP }, never)
    }
    await using admin = await administer({ stream, username: 'operator', password: 'operator-password' })

    const [a, b] = await lettersOf(admin)
    const done = [await replay(admin, a), await admin.drop(b.kept)]
    const { queues, room } = await admin.stats()
    const peeked = await admin.peek({ stream, group: GROUP }, 1)
    const purged = await admin.purge({ stream, group: GROUP })
    const returned = named('c')
    returned.identify(Buffer.alloc(32))
    await admin.enqueue(GROUP, returned)

    expect(done).toEqual([true, true])
    expect([queues[0].records, peeked.length, purged.records]).toEqual([1, 1, 1])
    expect(room).toBeDefined()
    expect((await client.call('ACL', 'LOG')) as unknown[]).toEqual([])
  })

  it('says at once where no server answers', async () => {
    await expect(administer({ url: 'redis://127.0.0.1:1' })).rejects.toThrow(/redis:\/\/127\.0\.0\.1:1/)
  })
})
