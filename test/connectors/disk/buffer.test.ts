import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  batchOf,
  bodiesOf,
  consume,
  drain,
  GROUP,
  namesOf,
  newFolder,
  openBuffer,
  segmentsIn,
} from './harness.ts'

describe('a buffer on disk', () => {
  it('hands out after a restart what was pushed and not acknowledged, in order', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b', 'c', 'd')
    const [first] = await consume(before).take(2)
    await first.ack()
    await before.stop()

    await using after = await openBuffer(folder)

    expect(await after.context.value('sluice_buffer_records')).toBe(3)
    expect(await drain(after)).toEqual(['b', 'c', 'd'])
  })

  it.each(['zstd', 'none'])('hands out the bytes that were pushed (%s)', async (compression) => {
    await using buffer = await openBuffer(newFolder(), { compression })
    const pushed = batchOf(50)

    await buffer.push(pushed)
    const lease = await consume(buffer).next()

    const whole = (batch: typeof pushed): Buffer => batch.encode(Number.POSITIVE_INFINITY)[0].bytes
    expect(whole(lease.batch).equals(whole(pushed))).toBe(true)
  })

  it('gives a request that comes again the same ids, also after a restart', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.push(batchOf(1))
    await before.stop()
    await using after = await openBuffer(folder)
    await after.push(batchOf(1))
    const consumer = consume(after)

    const [one, two] = await consumer.take(2)

    expect(one.batch.data.parts[0].id).toEqual(two.batch.data.parts[0].id)
  })

  it('hands out what is pushed while somebody waits for it', async () => {
    await using buffer = await openBuffer(newFolder())
    const consumer = consume(buffer)
    const waiting = consumer.next()
    await sleep(20)

    await buffer.pushNamed('late')

    expect(bodiesOf((await waiting).batch)).toEqual(['late'])
  })

  it('splits a large request and keeps its records together in order', async () => {
    await using buffer = await openBuffer(newFolder(), { element_size: '4KiB' })
    const body = (i: number): string => `record ${i} ${'x'.repeat(100)}`

    await buffer.push(batchOf(500, body))

    expect(await buffer.context.value('sluice_buffer_elements')).toBeGreaterThan(10)
    expect(await drain(buffer)).toEqual(Array.from({ length: 500 }, (_, i) => body(i)))
  })

  it('gives back what was released, after the delay, before what is newer', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.pushNamed('a', 'b')
    const consumer = consume(buffer)
    const [a, b] = await consumer.take(2)

    const released = performance.now()
    await b.release(0)
    await a.release(60)
    const again = await consumer.take(2)

    expect(namesOf(again)).toEqual(['b', 'a'])
    expect(performance.now() - released).toBeGreaterThan(55)
  })

  it('takes acknowledgements in any order, and forgets only what has no gap before it', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b', 'c', 'd')
    const [, b, c] = await consume(before).take(4)
    await c.ack()
    await b.ack()
    expect(await before.context.value('sluice_buffer_records')).toBe(2)
    await before.stop()

    await using after = await openBuffer(folder)

    expect(await drain(after)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('hands out again what a consumer that ended has not settled', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.pushNamed('a', 'b', 'c')
    const first = consume(buffer)
    const [a, b] = await first.take(2)
    await first.abort()
    await a.ack()

    const second = consume(buffer)
    const [again] = await second.take(1)
    await b.ack()
    await again.release(0)
    const [next] = await second.take(1)

    expect(namesOf([again, next])).toEqual(['b', 'c'])
  })

  it('shows a batch that was edited and released as it was pushed', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.push(batchOf(3))
    const consumer = consume(buffer)

    const lease = await consumer.next()
    lease.batch.forEach((record) => record.drop('test'))
    await lease.release(0)

    expect((await consumer.next()).batch.size).toBe(3)
  })

  it('allows one consumer for a group', async () => {
    await using buffer = await openBuffer(newFolder())
    await buffer.pushNamed('a')
    await consume(buffer).next()

    await expect(consume(buffer).next()).rejects.toThrow('already being read for logs/drain')
  })

  it('holds back when the consumer holds enough', async () => {
    await using buffer = await openBuffer(newFolder(), { element_size: '2KiB', prefetch: 3 })
    for (let i = 0; i < 6; i++) await buffer.push(batchOf(1, () => `${i}`.padEnd(2100, '.')))
    const consumer = consume(buffer)

    const [first] = await consumer.take(3)
    expect(await consumer.tryNext(50)).toBeUndefined()
    await first.ack()

    expect(bodiesOf((await consumer.next()).batch)[0][0]).toBe('3')
  })

  it('hands out more small elements than full ones', async () => {
    await using buffer = await openBuffer(newFolder(), { prefetch: 1 })
    const names = Array.from({ length: 40 }, (_, i) => String(i))
    await buffer.pushNamed(...names)

    expect(namesOf(await consume(buffer).take(40))).toEqual(names)
  })

  it('deletes a segment when all in it is acknowledged', async () => {
    const folder = newFolder()
    await using buffer = await openBuffer(folder, { segment_size: '4KiB', compression: 'none' })
    for (let i = 0; i < 20; i++) await buffer.push(batchOf(1, () => String(i).padEnd(1000, '.')))
    const before = await segmentsIn(folder)

    const bodies = await drain(buffer)
    await buffer.stop()

    expect(before.length).toBeGreaterThan(3)
    expect(bodies.length).toBe(20)
    expect(await segmentsIn(folder)).toEqual([before.at(-1)])
  })

  it('leaves nothing behind but its own files when everything is delivered', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b')
    await drain(before)
    await before.stop()

    await using after = await openBuffer(folder)
    await after.stop()

    expect(await segmentsIn(folder)).toEqual([])
  })

  it('counts what goes in and out, and measures what is inside', async () => {
    await using buffer = await openBuffer(newFolder())
    const value = (name: string, labels = {}): Promise<number> => buffer.context.value(name, labels)
    await buffer.push(batchOf(10))
    await buffer.push(batchOf(5))
    await sleep(20)
    const consumer = consume(buffer)
    const [first] = await consumer.take(2)

    expect(await value('sluice_buffer_pushed_log_records_total')).toBe(15)
    expect(await value('sluice_buffer_records', { group: GROUP })).toBe(15)
    expect(await value('sluice_buffer_elements')).toBe(2)
    expect(await value('sluice_buffer_in_flight_elements')).toBe(2)
    expect(await value('sluice_buffer_oldest_age_seconds')).toBeGreaterThanOrEqual(0.015)
    expect(await value('sluice_buffer_bytes')).toBeGreaterThan(200)
    expect(await value('sluice_disk_free_bytes')).toBeGreaterThan(0)

    await first.ack()

    expect(await value('sluice_buffer_acked_log_records_total', { group: GROUP })).toBe(10)
    expect(await value('sluice_buffer_records')).toBe(5)
    expect(await value('sluice_buffer_in_flight_elements')).toBe(1)
  })

  it('refuses pushes once it is stopped', async () => {
    const buffer = await openBuffer(newFolder())
    await buffer.stop()

    await expect(buffer.pushNamed('a')).rejects.toMatchObject({ name: 'RetryableError', reason: 'stopping' })
  })

  it('answers what was pushed before it was told to stop', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder, { linger: '10s' })
    const pushed = before.pushNamed('a')

    await before.stop()
    await pushed
    await using after = await openBuffer(folder)

    expect(await drain(after)).toEqual(['a'])
  })
})
