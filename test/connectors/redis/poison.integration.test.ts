import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { SETTLE } from '../../../connectors/redis/stream/scripts.ts'
import { openElement } from '../../../src/buffer/element.ts'
import { readLabel } from '../../../src/buffer/label.ts'
import { Child } from '../../servers/process.ts'
import { startRedis } from '../../servers/redis.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  batchOf,
  consume,
  eventually,
  GROUP,
  keyOf,
  named,
  nameOf,
  newStream,
  openBuffer,
  statsOf,
} from './harness.ts'
import { startProxy } from './proxy.ts'
import { admin, server } from './server-for-all.ts'

const SHORT = { worker_timeout: '1s', heartbeat: '200ms' }

const queueOf = (stream: string): Promise<Buffer[]> =>
  admin.lrangeBuffer(keyOf(stream, `queue:${GROUP}`), 0, -1)
const deadOf = (stream: string): Promise<Buffer[]> => admin.lrangeBuffer(keyOf(stream, 'dead'), 0, -1)
const bytesOf = (elements: readonly Buffer[]): number => elements.reduce((sum, { length }) => sum + length, 0)

describe('an element that cannot be delivered', () => {
  it.each(['zstd', 'none'])(
    'carries the number of its deliveries, and is still what it was to others (%s)',
    async (compression) => {
      await using buffer = await openBuffer(server.url, { compression })
      await buffer.push(named('a'))
      const [before] = await queueOf(buffer.stream)
      const consumer = consume(buffer.connector)

      const lease = await consumer.next()
      const released = lease.release(0)
      const again = await consumer.next()
      await released
      await consumer.abort()
      await again.release(0)

      await eventually(async () => (await queueOf(buffer.stream)).length === 1)
      const [after] = await queueOf(buffer.stream)
      expect(readLabel(after).label).toMatchObject({ deliveries: 1, records: 1 })
      expect(readLabel(after).content.equals(before)).toBe(true)
      expect(nameOf(openElement(after))).toBe('a')
      if (compression === 'zstd') {
        // Every frame of the file in turn, as zstd does it: the first holds nothing.
        const frames = after.subarray(8 + after.readUInt32LE(4))
        expect(zstdDecompressSync(frames).equals(zstdDecompressSync(before))).toBe(true)
      }
      expect(await statsOf(admin, buffer.stream)).toMatchObject({
        bytes: after.length,
        elements: 1,
        records: 1,
      })
    },
  )

  it('goes to the dead letters after max_deliveries, with the reason, and all counts stay exact', async () => {
    await using buffer = await openBuffer(server.url, { max_deliveries: 3 })
    await buffer.push(batchOf(7))
    await buffer.push(named('neighbour'))
    const consumer = consume(buffer.connector)
    let seen = 0

    let neighbours = 0
    while (seen < 3) {
      const lease = await consumer.next()
      if (nameOf(lease.batch) === 'neighbour') {
        neighbours++
        await lease.ack()
      } else {
        seen++
        await lease.release(0)
      }
    }

    await eventually(async () => (await deadOf(buffer.stream)).length === 1)
    const [element] = await deadOf(buffer.stream)
    const { label } = readLabel(element)
    expect(label).toMatchObject({ deliveries: 3, records: 7 })
    expect(label?.letter).toMatchObject({ pipeline: GROUP, stream: buffer.stream })
    expect(label?.letter?.reason).toMatch(/^it was handed out 3 times/)
    expect(openElement(element).size).toBe(7)
    if (neighbours === 0) await (await consumer.next()).ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ bytes: 0, elements: 0, records: 0, acked: 1 })
    expect(await admin.hgetall(keyOf(buffer.stream, 'dead:stats'))).toEqual({
      records: '7',
      bytes: String(element.length),
      elements: '1',
      buried: '7',
    })
    const counted = { pipeline: GROUP, reason: 'deliveries' }
    expect(await buffer.context.value('sluice_dead_letter_elements_total', counted)).toBe(1)
    expect(await buffer.context.value('sluice_dead_letter_log_records_total', { pipeline: GROUP })).toBe(7)
    await consumer.abort()
  })

  it('is lent alone from its third time on, and nothing else before it is settled', async () => {
    await using buffer = await openBuffer(server.url)
    await buffer.push(named('suspect'))
    const consumer = consume(buffer.connector)
    for (let i = 0; i < 2; i++) {
      const lease = await consumer.next()
      await lease.release(0)
    }
    await buffer.push(named('b'))
    await buffer.push(named('c'))

    const suspect = await consumer.next()
    expect(nameOf(suspect.batch)).toBe('suspect')
    const next = consumer.next()

    await eventually(async () => (await queueOf(buffer.stream)).length === 2)
    await expect(
      Promise.race([next, new Promise((resolve) => setTimeout(resolve, 300, 'none'))]),
    ).resolves.toBe('none')
    await suspect.ack()
    expect(nameOf((await next).batch)).toBe('b')
    await consumer.abort()
  })

  it('is counted once where the answer to its release is lost', async () => {
    await using proxy = await startProxy(server.port)
    await using buffer = await openBuffer(proxy.url)
    await buffer.push(named('a'))
    const consumer = consume(buffer.connector)
    const lease = await consumer.next()
    await lease.release(0)
    const again = await consumer.next()

    proxy.loseAnswerTo(SETTLE.sha)
    await again.release(0)
    const suspect = await consumer.next()

    expect(proxy.lost).toBe(1)
    const held = await admin.lrangeBuffer((await admin.keys(keyOf(buffer.stream, 'inflight:*')))[0], 0, -1)
    expect(held.map((element) => readLabel(element).label)).toEqual([{ deliveries: 2, records: 1 }])
    await suspect.ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 0, elements: 0, bytes: 0, acked: 1 })
    await consumer.abort()
  })

  it('keeps nobody from ending while Redis is away', async () => {
    await using own = await startRedis()
    await using proxy = await startProxy(own.port)
    const buffer = await openBuffer(proxy.url, { command_timeout: '500ms' })
    await buffer.push(named('a'))
    const before = consume(buffer.connector)
    for (let i = 0; i < 2; i++) await (await before.next()).release(0)
    const suspect = await before.next()
    await before.abort()
    await suspect.release(0)
    const redis = new Redis(own.url)
    await eventually(async () => (await redis.llen(keyOf(buffer.stream, `queue:${GROUP}`))) === 1)
    redis.disconnect()
    // The first settlement from here on is the note of its records, before it is lent.
    proxy.loseAnswerTo(SETTLE.sha)
    const consumer = consume(buffer.connector)
    const next = consumer.next().catch((error: unknown) => String(error))
    await eventually(() => proxy.lost === 1)
    own.pause()

    await consumer.abort()

    expect(await next).toMatch(/have ended/)
    own.resume()
    await buffer.stop()
  })

  it('is not counted as delivered by an orderly end', async () => {
    const stream = newStream()
    const buffer = await openBuffer(server.url, { stream })
    for (const name of ['a', 'b', 'c']) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const held = [await consumer.next(), await consumer.next()]
    await consumer.abort()
    await held[0].release(0)
    await eventually(async () => (await queueOf(stream)).length === 2)

    await buffer.stop()

    const elements = await queueOf(stream)
    expect(elements).toHaveLength(3)
    expect(elements.map((element) => readLabel(element).label)).toEqual([undefined, undefined, undefined])
  })

  it('of another tool is counted and buried as ours are, and no count of ours suffers', async () => {
    await using buffer = await openBuffer(server.url, { max_deliveries: 3 })
    await admin.rpush(keyOf(buffer.stream, `queue:${GROUP}`), makeRequest({ records: 2 }))
    const consumer = consume(buffer.connector)
    for (let i = 0; i < 3; i++) await (await consumer.next()).release(0)
    await buffer.push(named('ours'))

    await eventually(async () => (await deadOf(buffer.stream)).length === 1)

    expect(readLabel((await deadOf(buffer.stream))[0]).label).toMatchObject({ deliveries: 3, records: 2 })
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ elements: 1, records: 1 })
    await consumer.abort()
  })

  it('that kills the drain five times is buried, and every neighbour is delivered', async () => {
    await using buffer = await openBuffer(server.url, { ...SHORT })
    const neighbours = Array.from({ length: 30 }, (_, i) => `n${i}`)
    for (const name of [...neighbours.slice(0, 5), 'poison', ...neighbours.slice(5)])
      await buffer.push(named(name))
    const script = fileURLToPath(new URL('./poison-process.ts', import.meta.url))
    let deaths = 0

    let child: Child | undefined
    try {
      await eventually(async () => {
        child ??= new Child(process.execPath, [script, server.url, buffer.stream, JSON.stringify(SHORT)])
        await Promise.race([child.exited, new Promise((resolve) => setTimeout(resolve, 200))])
        if (!child.running) {
          deaths++
          child = undefined
        }
        return (await statsOf(admin, buffer.stream)).elements === 0
      }, 90_000)
    } finally {
      await child?.kill()
    }

    const dead = await deadOf(buffer.stream)
    expect(deaths).toBe(5)
    expect(dead.map((element) => nameOf(openElement(element)))).toEqual(['poison'])
    expect(readLabel(dead[0]).label).toMatchObject({ deliveries: 5, records: 1 })
    const delivered = { acked: neighbours.length, elements: 0, records: 0, bytes: 0 }
    expect(await statsOf(admin, buffer.stream)).toMatchObject(delivered)
  })

  it('is put back with its count while Redis is full, and the count survives a crash of Redis', async () => {
    await using own = await startRedis({ args: ['--appendfsync', 'always'] })
    const redis = new Redis(own.url, { retryStrategy: () => 50 })
    redis.on('error', () => {})
    const marks = { memory_high_watermark: 1, memory_low_watermark: 0.99 }
    await using buffer = await openBuffer(own.url, { ...marks, compression: 'none' })
    await buffer.push(batchOf(1, () => 'a'.padEnd(300_000, '.')))
    await buffer.push(batchOf(1, () => 'b'.padEnd(300_000, '.')))
    await redis.config('SET', 'maxmemory', '1mb')
    const consumer = consume(buffer.connector)
    const [a, b] = [await consumer.next(), await consumer.next()]
    await expect(redis.set('anything', 'else')).rejects.toThrow('OOM')

    await Promise.all([a.release(0), b.ack()])
    const again = await consumer.next()
    await consumer.abort()
    await again.release(0)

    const key = keyOf(buffer.stream, `queue:${GROUP}`)
    await eventually(async () => (await redis.llen(key)) === 1)
    await own.kill()
    await own.restart()
    await eventually(async () => (await redis.ping().catch(() => '')) === 'PONG')
    const [element] = await redis.lrangeBuffer(key, 0, -1)
    expect(readLabel(element).label).toMatchObject({ deliveries: 1, records: 1 })
    expect(String(nameOf(openElement(element)))[0]).toBe('a')
    expect(bytesOf([element])).toBe(Number(await redis.hget(keyOf(buffer.stream, `stats:${GROUP}`), 'bytes')))
    redis.disconnect()
  })
})
