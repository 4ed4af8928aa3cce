import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { redis } from '../../../connectors/redis/index.ts'
import { elementsOf, readLetter } from '../../../src/buffer/letters.ts'
import { never } from '../../support/component.ts'
import { keyFile } from '../../support/keys.ts'
import {
  consume,
  eventually,
  GROUP,
  keyOf,
  named,
  nameOf,
  newStream,
  openBuffer,
  takeOne,
} from './harness.ts'
import { admin, server } from './server-for-all.ts'

const compression = 'none'

describe('an encrypted stream in Redis', () => {
  it('shows nothing of what it holds, dead letters included, and gives it back', async () => {
    const encryption = { key_file: keyFile() }
    await using buffer = await openBuffer(server.url, { compression, encryption })
    await buffer.push(named('visible?'))
    await buffer.connector.bury({ batch: named('buried?'), reason: 'why not', pipeline: GROUP }, never)

    expect(await admin.lindex(keyOf(buffer.stream, `queue:${GROUP}`), 0)).not.toContain('visible?')
    expect(await admin.lindex(keyOf(buffer.stream, 'dead'), 0)).not.toMatch(/buried\?|why not/)
    expect(nameOf(await takeOne(buffer.connector))).toBe('visible?')
  })

  it('still gives what was stored before encryption was switched on', async () => {
    await using before = await openBuffer(server.url)
    await before.push(named('in clear'))

    await using after = await openBuffer(server.url, {
      stream: before.stream,
      encryption: { key_file: keyFile() },
    })

    expect(nameOf(await takeOne(after.connector))).toBe('in clear')
  })

  it('keeps what it has no key for, says so, and leaves it in order to one that has the key', async () => {
    const stream = newStream()
    const [old, next] = [
      { id: 'old', file: keyFile() },
      { id: 'next', file: keyFile() },
    ]
    await using gateway = await openBuffer(server.url, { stream, encryption: { keys: [old] } })
    await gateway.push(named('first'))
    await gateway.push(named('second'))
    const without = await openBuffer(server.url, { stream, encryption: { keys: [next] } })
    const waiting = consume(without.connector)
    const lease = waiting.next(60_000)
    lease.catch(() => {})

    await eventually(() => without.context.states.at(-1)?.state === 'degraded')
    await waiting.abort()
    await without.stop()

    expect(without.context.states.map(({ detail }) => detail)).toContainEqual(
      expect.stringContaining('sealed with the key "old"'),
    )
    expect(await admin.exists(keyOf(stream, 'dead'))).toBe(0)
    await using after = await openBuffer(server.url, { stream, encryption: { keys: [next, old] } })
    expect(nameOf(await takeOne(after.connector))).toBe('first')
    expect(nameOf(await takeOne(after.connector))).toBe('second')
  })

  it('counts deliveries of what is sealed, and buries and replays it sealed', async () => {
    const encryption = { key_file: keyFile() }
    await using buffer = await openBuffer(server.url, { compression, encryption, max_deliveries: 3 })
    await buffer.push(named('suspect?'))
    const consumer = consume(buffer.connector)
    for (let i = 0; i < 3; i++) {
      const lease = await consumer.next()
      expect(nameOf(lease.batch)).toBe('suspect?')
      await lease.release(0)
    }
    await consumer.abort()
    const dead = keyOf(buffer.stream, 'dead')
    await eventually(async () => (await admin.llen(dead)) === 1)
    const stored = await admin.lindex(dead, 0)

    const config = redis.config.parse({ url: server.url, stream: buffer.stream, encryption })
    const operator = await redis.administer?.(config, { groups: [GROUP], log: pino({ level: 'silent' }) })
    if (operator === undefined) throw new Error('cannot be administered')
    for await (const kept of operator.letters()) {
      const letter = readLetter(kept, operator.codec)
      const elements = elementsOf(letter, operator.codec, operator.elementBytes)
      await operator.replay(kept, { stream: buffer.stream, group: GROUP }, elements)
    }
    await operator.close()

    expect(stored).not.toContain('suspect?')
    expect(nameOf(await takeOne(buffer.connector))).toBe('suspect?')
    expect(await admin.exists(dead)).toBe(0)
  })

  it('buries an element that was tampered with, counts it, and goes on', async () => {
    await using buffer = await openBuffer(server.url, { encryption: { key_file: keyFile() } })
    const queue = keyOf(buffer.stream, `queue:${GROUP}`)
    await buffer.push(named('tampered'))
    const element = (await admin.lindexBuffer(queue, 0)) as Buffer
    element[element.length - 20] ^= 1
    await admin.lset(queue, 0, element)
    await buffer.push(named('whole'))

    expect(nameOf(await takeOne(buffer.connector))).toBe('whole')
    expect(await buffer.context.value('sluice_buffer_undecodable_elements_total')).toBe(1)
    expect(await admin.llen(keyOf(buffer.stream, 'dead'))).toBe(1)
  })
})
