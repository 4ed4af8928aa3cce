import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { startSentinels } from '../../servers/redis-sentinel.ts'
import { valkeyProblem } from '../../servers/valkey.ts'
import { never } from '../../support/component.ts'
import { consume, eventually, keyOf, named, nameOf, openBuffer, refusal, takeOne } from './harness.ts'

const STREAM = 'logs'
const noValkey = await valkeyProblem()

/** The rules that docs/redis.md tells, by user. */
const rules = new Map(
  [...readFileSync('docs/redis.md', 'utf8').matchAll(/^user (\S+) (.*)$/gm)].map(([, user, text]) => [
    user,
    text.split(' '),
  ]),
)

async function allow(server: RedisServer, user: string, change: (all: string[]) => string[] = (all) => all) {
  const admin = new Redis(server.url)
  await admin.call('ACL', 'SETUSER', user, 'reset', ...change(rules.get(user) ?? []))
  admin.disconnect()
}

/** What Redis refused to a user. */
async function refusals(server: RedisServer): Promise<string[]> {
  const admin = new Redis(server.url)
  const log = await admin.call('ACL', 'LOG')
  admin.disconnect()
  return (log as unknown[]).map((entry) => JSON.stringify(entry))
}

const as = (user: string, more: Readonly<Record<string, unknown>> = {}) => ({
  stream: STREAM,
  username: user,
  password: `${user}-password`,
  ...more,
})

/** Pushes as the gateway; takes, releases, buries and acknowledges as the drain. */
async function useAll(
  url: string | undefined,
  more: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  await using gateway = await openBuffer(url, as('gateway', more))
  await using drain = await openBuffer(
    url,
    as('drain', { ...more, heartbeat: '100ms', worker_timeout: '300ms' }),
  )
  for (const name of ['a', 'b']) await gateway.push(named(name))
  const consumer = consume(drain.connector)
  const first = await consumer.next()
  await first.release(0)
  const again = await consumer.next()
  await drain.connector.bury({ batch: again.batch, reason: 'test', pipeline: 'logs/drain' }, never)
  await again.ack()
  await consumer.abort()
  return nameOf(await takeOne(drain.connector))
}

describe('with the permissions that docs/redis.md lists', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis()
    await allow(server, 'gateway')
    await allow(server, 'drain')
  })
  afterAll(() => server.stop())

  it('gateway and drain work, and nothing they do is refused', async () => {
    expect(await useAll(server.url)).toBe('a')

    const admin = new Redis(server.url)
    // A worker that died, for the reaper, and an element that is no batch.
    await admin.zadd(keyOf(STREAM, 'workers:logs/drain'), 1, 'dead')
    await admin.rpush(keyOf(STREAM, 'inflight:logs/drain:dead'), 'no batch')
    await using drain = await openBuffer(
      server.url,
      as('drain', { heartbeat: '100ms', worker_timeout: '300ms' }),
    )
    const consumer = consume(drain.connector)
    const waiting = consumer.next().catch(() => undefined)
    await eventually(async () => (await admin.llen(keyOf(STREAM, 'dead'))) === 2)
    await consumer.abort()
    await waiting
    admin.disconnect()

    expect(await refusals(server)).toEqual([])
  })

  it.each(['rpush', 'hmget', 'evalsha', 'info'])('a gateway that lacks %s says so', async (command) => {
    await using other = await startRedis()
    await allow(other, 'gateway', (all) => all.filter((rule) => rule !== `+${command}`))
    await using gateway = await openBuffer(other.url, as('gateway'))

    const error = await refusal(gateway.push(named('a')))

    expect(error.reason).toBe('denied')
    // Redis 7.0 does not name a command that a script may not run.
    expect(error.message).toMatch(new RegExp(`'${command}'|The user executing the script can't run`))
    expect(error.message).toMatch(
      /^redis:\/\/127\.0\.0\.1:\d+ answered NOPERM: .* \(docs\/redis\.md lists what is needed\)$/,
    )
  })

  it('the keys of another stream are not touched', async () => {
    await using gateway = await openBuffer(server.url, { ...as('gateway'), stream: 'other' })

    const error = await refusal(gateway.push(named('a')))

    expect(error.reason).toBe('denied')
    expect(error.message).toMatch(/key/i)
  })

  it('each durability needs what is listed for it, and no more', async () => {
    await using other = await startRedis({ args: ['--appendfsync', 'always'] })
    await allow(other, 'gateway')
    await expect(openBuffer(other.url, as('gateway', { durability: 'always' }))).rejects.toThrow(/config/)
    for (const user of ['gateway', 'drain']) await allow(other, user, (all) => [...all, '+config|get'])
    expect(await useAll(other.url, { durability: 'always' })).toBe('a')

    await using _replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${other.port}`] })
    for (const user of ['gateway', 'drain']) await allow(other, user, (all) => [...all, '+wait'])
    await using gateway = await openBuffer(other.url, as('gateway', { durability: 'wait' }))
    await eventually(async () =>
      gateway.push(named('a')).then(
        () => true,
        () => false,
      ),
    )
  })

  it.skipIf(noValkey)(
    `waitaof needs what is listed for it${noValkey && ` (skipped: ${noValkey})`}`,
    async () => {
      await using valkey = await startRedis({ flavour: 'valkey', args: ['--appendfsync', 'always'] })
      for (const user of ['gateway', 'drain'])
        await allow(valkey, user, (all) => [...all, '+waitaof', '+config|get'])

      expect(await useAll(valkey.url, { durability: 'waitaof' })).toBe('a')
      expect(await refusals(valkey)).toEqual([])
    },
  )

  it('a cluster and a database need what is listed for them', async () => {
    await using node = await startRedis({ args: ['--cluster-enabled', 'yes'] })
    const admin = new Redis(node.url)
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await eventually(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    admin.disconnect()
    for (const user of ['gateway', 'drain']) await allow(node, user, (all) => [...all, '+cluster|slots'])
    for (const user of ['gateway', 'drain']) await allow(server, user, (all) => [...all, '+select'])

    expect(await useAll(undefined, { cluster: { nodes: [`127.0.0.1:${node.port}`] } })).toBe('a')
    expect(await useAll(server.url, { database: 2 })).toBe('a')
    expect(
      [...(await refusals(node)), ...(await refusals(server))].filter((entry) => !entry.includes('other')),
    ).toEqual([])
  })

  it('a user of the sentinels needs what is listed for it', async () => {
    await using setup = await startSentinels()
    const [, text] = /`(-@all [^`]*sentinel[^`]*)`/.exec(readFileSync('docs/redis.md', 'utf8')) ?? []
    for (const node of setup.nodes) {
      const admin = new Redis(`redis://${node}`)
      await admin.call('ACL', 'SETUSER', 'asker', 'on', '>asks', ...text.replaceAll('\\', '').split(' '))
      admin.disconnect()
    }
    const sentinel = { nodes: setup.nodes, username: 'asker', password: 'asks' }
    await using buffer = await openBuffer(undefined, { sentinel })

    await buffer.push(named('a'))

    expect(nameOf(await takeOne(buffer.connector))).toBe('a')
  })
})
