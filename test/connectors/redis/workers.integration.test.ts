import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Child } from '../../servers/process.ts'
import {
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
import { admin, server } from './server-for-all.ts'

const SHORT = { worker_timeout: '1s', heartbeat: '200ms' }

const workersOf = (stream: string): Promise<string[]> =>
  admin.zrange(keyOf(stream, `workers:${GROUP}`), '0', '-1')
const waiting = (stream: string): Promise<number> => admin.llen(keyOf(stream, `queue:${GROUP}`))

describe('a drain worker', () => {
  it('that is killed loses what it held to another, in order', async () => {
    await using buffer = await openBuffer(server.url, SHORT)
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) await buffer.push(named(name))
    const script = fileURLToPath(new URL('./consumer-process.ts', import.meta.url))
    const child = new Child(process.execPath, [script, server.url, buffer.stream, '3', JSON.stringify(SHORT)])
    await child.line(/holding/, 20_000)
    expect(await waiting(buffer.stream)).toBe(0)

    await child.kill()
    const consumer = consume(buffer.connector)
    const taken = []
    for (const _ of names) {
      const lease = await consumer.next()
      taken.push(nameOf(lease.batch))
      await lease.ack()
    }

    expect(taken).toEqual(names)
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 0, elements: 0, acked: 4 })
    expect(await buffer.context.value('sluice_buffer_reaped_elements_total')).toBe(4)
    await consumer.abort()
  })

  it('that beats keeps what it holds, however long it takes', async () => {
    await using buffer = await openBuffer(server.url, SHORT)
    await buffer.push(named('slow'))
    const slow = consume(buffer.connector)
    const lease = await slow.next()

    const other = consume(buffer.connector)

    await expect(other.next(2_500)).rejects.toThrow('no lease')
    await lease.ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 0, acked: 1 })
    await Promise.all([slow.abort(), other.abort()])
  })

  it('that lost its place removes nothing of others, and goes on with a new one', async () => {
    await using paused = await openBuffer(server.url, { worker_timeout: '30s', heartbeat: '15s' })
    await using other = await openBuffer(server.url, { ...SHORT, stream: paused.stream })
    await paused.push(named('a'))
    const before = consume(paused.connector)
    const lost = await before.next()
    const [worker] = await workersOf(paused.stream)

    await admin.zadd(keyOf(paused.stream, `workers:${GROUP}`), 1, worker)
    const after = consume(other.connector)
    const again = await after.next()
    await lost.ack()

    expect(nameOf(again.batch)).toBe('a')
    expect(await statsOf(admin, paused.stream)).toMatchObject({ records: 1, elements: 1 })
    expect(await paused.context.value('sluice_buffer_acked_log_records_total')).toBe(0)
    await again.ack()
    expect(await statsOf(admin, paused.stream)).toMatchObject({ records: 0, acked: 1 })
    await after.abort()
    await paused.push(named('b'))
    expect(nameOf((await before.next()).batch)).toBe('b')
    expect(await workersOf(paused.stream)).not.toContain(worker)
    await before.abort()
  })

  it('that is told to end returns at once what nobody has, and keeps the rest until it is settled', async () => {
    await using buffer = await openBuffer(server.url)
    for (const name of ['a', 'b', 'c', 'd']) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const first = await consumer.next()

    await consumer.abort()

    await eventually(async () => (await waiting(buffer.stream)) === 3)
    expect(await workersOf(buffer.stream)).toHaveLength(1)
    await first.ack()
    await eventually(async () => (await workersOf(buffer.stream)).length === 0)
    const next = consume(buffer.connector)
    const names = []
    for (let i = 0; i < 3; i++) names.push(nameOf((await next.next()).batch))
    expect(names).toEqual(['b', 'c', 'd'])
    await next.abort()
  })

  it('that is stopped puts everything back in order and leaves', async () => {
    const stream = newStream()
    const buffer = await openBuffer(server.url, { stream })
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const leases = []
    for (let i = 0; i < 4; i++) leases.push(await consumer.next())
    await leases[1].release(60_000)
    await leases[2].ack()

    await buffer.stop()

    expect(await workersOf(stream)).toEqual([])
    expect(await admin.keys(keyOf(stream, 'inflight*'))).toEqual([])
    expect(await statsOf(admin, stream)).toMatchObject({ records: 4, elements: 4 })
    await using next = await openBuffer(server.url, { stream })
    const after = consume(next.connector)
    const taken = []
    for (let i = 0; i < 4; i++) taken.push(nameOf((await after.next()).batch))
    expect(taken).toEqual(['a', 'b', 'd', 'e'])
    await after.abort()
  })

  it('ends within moments of being told, busy or idle', async () => {
    await using buffer = await openBuffer(server.url)
    const controller = new AbortController()
    const leases = buffer.connector.leases(GROUP, controller.signal)[Symbol.asyncIterator]()
    const next = leases.next()
    await eventually(async () => (await workersOf(buffer.stream)).length === 1)
    const told = Date.now()

    controller.abort()

    expect(await next).toMatchObject({ done: true })
    expect(Date.now() - told).toBeLessThan(200)
  })
})
