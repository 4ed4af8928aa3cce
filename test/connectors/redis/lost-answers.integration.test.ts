import { describe, expect, it } from 'vitest'
import { PUSH, SETTLE, TAKE } from '../../../connectors/redis/stream/scripts.ts'
import {
  consume,
  eventually,
  identities,
  named,
  nameOf,
  openBuffer,
  refusal,
  statsOf,
  takeOne,
} from './harness.ts'
import { startProxy } from './proxy.ts'
import { admin, server } from './server-for-all.ts'

describe('when Redis does what it is told and the answer is lost', () => {
  it('a push fails at once, and leaves the same ids twice when it is repeated', async () => {
    await using proxy = await startProxy(server.port)
    await using buffer = await openBuffer(proxy.url)
    await buffer.push(named('first'))
    await takeOne(buffer.connector)
    const began = Date.now()

    proxy.loseAnswerTo(PUSH.sha)
    const error = await refusal(buffer.push(named('a')))

    expect(error.reason).toBe('unreachable')
    expect(Date.now() - began).toBeLessThan(1_000)
    await eventually(() =>
      buffer.push(named('a')).then(
        () => true,
        () => false,
      ),
    )
    const ids = identities(await takeOne(buffer.connector))
    expect(identities(await takeOne(buffer.connector))).toEqual(ids)
    expect(proxy.lost).toBe(1)
  })

  it('what was taken is handed out once, in order', async () => {
    await using direct = await openBuffer(server.url)
    await using proxy = await startProxy(server.port)
    await using buffer = await openBuffer(proxy.url, { stream: direct.stream, prefetch: 3 })
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    for (const name of names) await direct.push(named(name))
    const consumer = consume(buffer.connector)
    const leases = [await consumer.next(), await consumer.next(), await consumer.next()]

    proxy.loseAnswerTo(TAKE.sha)
    while (leases.length < names.length) leases.push(await consumer.next())

    expect(proxy.lost).toBe(1)
    expect(leases.map(({ batch }) => nameOf(batch))).toEqual(names)
    for (const lease of leases) await lease.ack()
    expect(await statsOf(admin, direct.stream)).toMatchObject({ records: 0, bytes: 0, elements: 0, acked: 7 })
    await consumer.abort()
  })

  it('an acknowledgement is repeated, and removes what it is for only', async () => {
    await using direct = await openBuffer(server.url)
    await using proxy = await startProxy(server.port)
    await using buffer = await openBuffer(proxy.url, { stream: direct.stream })
    for (const name of ['first', 'a', 'b']) await direct.push(named(name))
    const consumer = consume(buffer.connector)
    await (await consumer.next()).ack()
    const [a, b] = [await consumer.next(), await consumer.next()]

    proxy.loseAnswerTo(SETTLE.sha)
    await a.ack()

    expect(proxy.lost).toBe(1)
    expect(await statsOf(admin, direct.stream)).toMatchObject({ records: 1, elements: 1, acked: 2 })
    await b.release(0)
    expect(nameOf((await consumer.next()).batch)).toBe('b')
    await consumer.abort()
  })
})
