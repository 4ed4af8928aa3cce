import { describe, expect, it } from 'vitest'
import { openElement } from '../../../src/buffer/element.ts'
import { readLabel } from '../../../src/buffer/label.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { never } from '../../support/component.ts'
import { documentsOf } from '../../support/otlp.ts'
import { makeRequest } from '../../support/requests.ts'
import {
  batchOf,
  consume,
  eventually,
  GROUP,
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
import { admin, server } from './server-for-all.ts'

const whole = (batch: LogBatch): Buffer => batch.encode(Number.POSITIVE_INFINITY)[0].bytes

describe('a stream in Redis', () => {
  it.each(['zstd', 'none'])(
    'gives out what was pushed with the same bytes and ids (%s)',
    async (compression) => {
      await using buffer = await openBuffer(server.url, { compression })
      const pushed = batchOf(5)

      await buffer.push(pushed)
      const taken = await takeOne(buffer.connector)

      expect(whole(taken).equals(whole(pushed))).toBe(true)
      expect(identities(taken)).toEqual(identities(pushed))
    },
  )

  it('gives the same request the same ids at every gateway', async () => {
    await using one = await openBuffer(server.url)
    await using other = await openBuffer(server.url, { stream: one.stream })

    await one.push(batchOf(2))
    await other.push(batchOf(2))

    const first = identities(await takeOne(one.connector))
    expect(identities(await takeOne(one.connector))).toEqual(first)
  })

  it('forgets what is acknowledged', async () => {
    await using buffer = await openBuffer(server.url)
    for (const name of ['a', 'b', 'c']) await buffer.push(named(name))
    const consumer = consume(buffer.connector)

    for (let i = 0; i < 3; i++) await (await consumer.next()).ack()
    await consumer.abort()

    expect(await statsOf(admin, buffer.stream)).toEqual({
      records: 0,
      bytes: 0,
      elements: 0,
      pushed: 3,
      acked: 3,
    })
    const keys = ['key', 'queues', `stats:${GROUP}`].map((rest) => keyOf(buffer.stream, rest))
    await eventually(async () => {
      const left = await admin.keys(keyOf(buffer.stream, '*'))
      return left.toSorted().join() === keys.join()
    })
    expect(await buffer.context.value('sluice_buffer_pushed_log_records_total')).toBe(3)
    expect(await buffer.context.value('sluice_buffer_acked_log_records_total', { group: GROUP })).toBe(3)
  })

  it('hands out in the order of the pushes, and takes acknowledgements in any order', async () => {
    await using buffer = await openBuffer(server.url)
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const leases = []

    for (const _ of names) leases.push(await consumer.next())

    expect(leases.map(({ batch }) => nameOf(batch))).toEqual(names)
    for (const i of [3, 1, 4]) await leases[i].ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 2, elements: 2 })
    for (const i of [2, 0]) await leases[i].ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 0, bytes: 0 })
    await consumer.abort()
  })

  it('hands a released batch out again, but not before the delay', async () => {
    await using buffer = await openBuffer(server.url)
    await buffer.push(named('a'))
    await buffer.push(named('b'))
    const consumer = consume(buffer.connector)
    const released = Date.now()

    await (await consumer.next()).release(400)
    expect(nameOf((await consumer.next()).batch)).toBe('b')
    const again = await consumer.next()

    expect(nameOf(again.batch)).toBe('a')
    expect(Date.now() - released).toBeGreaterThanOrEqual(395)
    await again.ack()
    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 1 })
    await consumer.abort()
  })

  it('gives every group its own queue', async () => {
    const groups = ['logs/one', 'logs/two']
    await using buffer = await openBuffer(server.url, {}, groups)

    await buffer.push(named('a'))

    for (const group of groups) expect(nameOf(await takeOne(buffer.connector, group))).toBe('a')
    for (const group of groups)
      expect(await statsOf(admin, buffer.stream, group)).toMatchObject({ records: 0, acked: 1 })
  })

  it('gathers small requests in one element', async () => {
    await using buffer = await openBuffer(server.url, { linger: '50ms' })
    const pushed = Array.from({ length: 20 }, (_, i) => named(`record ${i}`))

    await Promise.all(pushed.map((batch) => buffer.push(batch)))

    expect(await statsOf(admin, buffer.stream)).toMatchObject({ records: 20, elements: 1 })
    const taken = await takeOne(buffer.connector)
    expect(identities(taken)).toEqual(pushed.flatMap(identities))
  })

  it('splits a large request and keeps all positions', async () => {
    await using buffer = await openBuffer(server.url, { element_size: '16KiB' })
    const pushed = batchOf(500, (i) => `${i} ${'x'.repeat(200)}`)

    await buffer.push(pushed)

    const { elements } = await statsOf(admin, buffer.stream)
    expect(elements).toBeGreaterThan(5)
    const taken: string[] = []
    for (let i = 0; i < elements; i++) taken.push(...identities(await takeOne(buffer.connector)))
    expect(taken).toEqual(identities(pushed))
  })

  it('resolves a push of nothing at once', async () => {
    await using buffer = await openBuffer(server.url)

    await buffer.push(named('a').select([]))

    expect(await admin.exists(keyOf(buffer.stream, `queue:${GROUP}`))).toBe(0)
  })

  it.each([
    [{ max_bytes: '1KiB', compression: 'none' }, 'max_bytes'],
    [{ max_records: 10 }, 'max_records'],
  ])('refuses what would exceed %j, and takes more once there is room', async (limit, name) => {
    await using buffer = await openBuffer(server.url, limit)
    await using other = await openBuffer(server.url, { ...limit, stream: buffer.stream })
    await buffer.push(batchOf(10, () => 'x'.repeat(200)))

    const known = await refusal(buffer.push(named('b')))
    // Another gateway does not know before it looks again; Redis does.
    const unknown = await refusal(other.push(named('c')))

    expect(known.reason).toBe('watermark')
    expect(known.message).toContain(`of its ${name}: pushes are refused until it is below 75%`)
    expect(unknown.reason).toBe('full')
    for (const { retryAfter } of [known, unknown]) {
      expect(retryAfter).toBeGreaterThanOrEqual(1_000)
      expect(retryAfter).toBeLessThanOrEqual(30_000)
    }
    expect(
      await buffer.context.value('sluice_buffer_refused_log_records_total', { reason: 'watermark' }),
    ).toBe(1)
    await takeOne(buffer.connector)
    await pushed(() => buffer.push(named('d')))
  })

  it('keeps dead letters with the reason, the pipeline and the time', async () => {
    await using buffer = await openBuffer(server.url)
    await buffer.push(batchOf(3))
    const taken = await takeOne(buffer.connector)

    await buffer.connector.bury(
      { batch: taken.select([1]), reason: 'mapper_parsing_exception', pipeline: GROUP },
      never,
    )

    const [element] = await admin.lrangeBuffer(keyOf(buffer.stream, 'dead'), 0, -1)
    const letter = openElement(element)
    expect(letter.letter).toMatchObject({ reason: 'mapper_parsing_exception', pipeline: GROUP })
    expect(letter.letter?.buriedMs).toBeGreaterThan(Date.now() - 60_000)
    expect(identities(letter)).toEqual([identities(taken)[1]])
    expect(await buffer.context.value('sluice_dead_letter_log_records_total', { pipeline: GROUP })).toBe(1)
    await eventually(async () => (await buffer.context.value('sluice_dead_letter_records')) === 1)
  })

  it('gives ids to plain OTLP that another tool put in', async () => {
    await using buffer = await openBuffer(server.url)
    const request = makeRequest({ records: 2 })
    await admin.rpush(keyOf(buffer.stream, `queue:${GROUP}`), request)

    const taken = await takeOne(buffer.connector)

    expect(documentsOf(taken).map((document) => document.body?.text)).toEqual(['record 0', 'record 1'])
    expect(identities(taken).every((name) => /^[0-9a-f]{44}\/[01]$/.test(name))).toBe(true)
    await eventually(async () => (await statsOf(admin, buffer.stream)).acked === 2)
  })

  it('buries an element that is no batch as it is behind a label that says why, and goes on', async () => {
    await using buffer = await openBuffer(server.url)
    await admin.rpush(keyOf(buffer.stream, `queue:${GROUP}`), 'no batch at all')
    await buffer.push(named('a'))

    expect(nameOf(await takeOne(buffer.connector))).toBe('a')

    await eventually(async () => (await admin.llen(keyOf(buffer.stream, 'dead'))) === 1)
    const [element] = await admin.lrangeBuffer(keyOf(buffer.stream, 'dead'), 0, 0)
    const { label, content } = readLabel(element)
    expect(content.toString()).toBe('no batch at all')
    expect(label?.letter).toMatchObject({ pipeline: GROUP, stream: buffer.stream })
    expect(label?.letter?.reason).toMatch(/^it is no batch: wire type 6/)
    expect(Math.abs((label?.letter?.buriedMs ?? 0) - Date.now())).toBeLessThan(60_000)
    const counted = { pipeline: GROUP, reason: 'undecodable' }
    expect(await buffer.context.value('sluice_dead_letter_elements_total', counted)).toBe(1)
    expect(await buffer.context.value('sluice_buffer_undecodable_elements_total')).toBe(1)
  })

  it('shows what is queued, what is in flight and how old it is', async () => {
    await using buffer = await openBuffer(server.url, { stream: newStream(), prefetch: 1 })
    for (const name of ['a', 'b', 'c']) await buffer.push(named(name))
    const consumer = consume(buffer.connector)
    const lease = await consumer.next()
    const value = (name: string): Promise<number> => buffer.context.value(name, { group: GROUP })

    await eventually(async () => (await value('sluice_buffer_in_flight_elements')) === 1)

    expect(await value('sluice_buffer_records')).toBe(3)
    expect(await value('sluice_buffer_elements')).toBe(3)
    expect(await value('sluice_buffer_bytes')).toBe((await statsOf(admin, buffer.stream)).bytes)
    expect(await value('sluice_buffer_oldest_age_seconds')).toBeGreaterThan(0)
    await lease.ack()
    await consumer.abort()
    await eventually(async () => (await value('sluice_buffer_records')) === 2)
  })
})
