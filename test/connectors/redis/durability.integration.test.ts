import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { powerCutProblem, preparePowerCut } from '../../servers/power-cut.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { valkeyProblem } from '../../servers/valkey.ts'
import { batchOf, eventually, GROUP, keyOf, named, nameOf, openBuffer, refusal, takeOne } from './harness.ts'
import { Load, print } from './load.ts'

type Settings = Readonly<Record<string, unknown>>

const noValkey = await valkeyProblem()
const noPowerCut = powerCutProblem()
const noHonestWaitaof = await withoutHonestWaitaof()
const unless = (problem: string): string => (problem === '' ? '' : ` (skipped: ${problem})`)

const QUICK = { durability_timeout: '300ms' }

/** Why WAITAOF with everysec cannot be tried here; empty where it can. */
async function withoutHonestWaitaof(): Promise<string> {
  await using server = await startRedis()
  const info = await withAdmin(server, (admin) => admin.info('server'))
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? ''
  return /^(?:7\.2|[89])\./.test(version)
    ? ''
    : `redis-server is ${version}, and 7.2, or 8 and later, is needed`
}

async function withAdmin<T>(server: RedisServer, use: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(server.url)
  try {
    return await use(admin)
  } finally {
    admin.disconnect()
  }
}

const set = (server: RedisServer, name: string, value: string) =>
  withAdmin(server, (admin) => admin.config('SET', name, value))

const queued = (server: RedisServer, stream: string) =>
  withAdmin(server, (admin) => admin.llen(keyOf(stream, `queue:${GROUP}`)))

/** Pushes until it is accepted. */
const accepted = (push: () => Promise<void>) =>
  eventually(() =>
    push().then(
      () => true,
      () => false,
    ),
  )

describe('durability always', () => {
  it('does not start on a Redis that does not force every write to disk', async () => {
    await using server = await startRedis()

    await expect(openBuffer(server.url, { durability: 'always' })).rejects.toThrow(
      /^redis:\/\/127\.0\.0\.1:\d+ has appendonly yes and appendfsync everysec: durability always needs yes and always$/,
    )
  })

  it('refuses pushes while Redis is set otherwise, and says so', async () => {
    await using server = await startRedis({ args: ['--appendfsync', 'always'] })
    await using buffer = await openBuffer(server.url, { durability: 'always' })
    await buffer.push(named('a'))
    expect(await buffer.context.value('sluice_redis_durability', { mode: 'always' })).toBe(1)
    expect(await buffer.context.value('sluice_redis_durable')).toBe(1)

    await set(server, 'appendfsync', 'everysec')

    expect((await refusal(buffer.push(named('b')))).reason).toBe('not_durable')
    await eventually(() => buffer.context.states.at(-1)?.state === 'failed')
    expect(await buffer.context.value('sluice_redis_durable')).toBe(0)
    await set(server, 'appendfsync', 'always')
    await accepted(() => buffer.push(named('c')))
    await eventually(() => buffer.context.states.at(-1)?.state === 'ok')
  })
})

describe('durability wait', () => {
  it('refuses pushes without writing them until there are enough replicas', async () => {
    await using server = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
    await using buffer = await openBuffer(server.url, { durability: 'wait', ...QUICK })

    const error = await refusal(buffer.push(named('a')))

    expect(error.reason).toBe('no_replicas')
    expect(error.message).toMatch(/has what was written on 0 replicas: durability wait needs 1$/)
    expect(await queued(server, buffer.stream)).toBe(0)
    await eventually(() => buffer.context.states.at(-1)?.state === 'failed')
    await using _replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${server.port}`] })
    await accepted(() => buffer.push(named('a')))
    expect(nameOf(await takeOne(buffer.connector))).toBe('a')
  })

  it('leaves no copy at every attempt of a sender while the replica is away', async () => {
    const sync = ['--repl-diskless-sync-delay', '0']
    await using server = await startRedis({ args: sync })
    await using replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${server.port}`] })
    await using buffer = await openBuffer(server.url, { durability: 'wait', ...QUICK })
    await accepted(() => buffer.push(named('a')))
    const before = await queued(server, buffer.stream)

    replica.pause()
    for (let attempt = 0; attempt < 50; attempt++) {
      expect((await refusal(buffer.push(named('b')))).reason).toBe('no_replicas')
      await sleep(20)
    }

    expect(await queued(server, buffer.stream)).toBeLessThanOrEqual(before + 1)
    replica.resume()
    await accepted(() => buffer.push(named('b')))
  })
})

describe.skipIf(noValkey)(`durability waitaof${unless(noValkey)}`, () => {
  const always = ['--appendfsync', 'always', '--repl-diskless-sync-delay', '0']
  const valkey = (args: readonly string[] = []) =>
    startRedis({ flavour: 'valkey', args: [...always, ...args] })

  it('does not start where WAITAOF does not wait for the disk', async () => {
    await using server = await valkey(['--appendfsync', 'everysec'])

    await expect(openBuffer(server.url, { durability: 'waitaof' })).rejects.toThrow(
      /is Valkey \S+ with appendonly yes and appendfsync everysec, where WAITAOF does not wait for the disk: set always$/,
    )
  })

  it('refuses what does not get to the disk', async () => {
    await using server = await valkey()
    await using buffer = await openBuffer(server.url, { durability: 'waitaof', ...QUICK })
    await buffer.push(named('a'))
    expect(await buffer.context.value('sluice_redis_durability', { mode: 'waitaof' })).toBe(1)

    await set(server, 'appendfsync', 'no')
    const error = await refusal(buffer.push(named('b')))

    expect(error.reason).toBe('not_durable')
    expect(error.message).toMatch(
      /has what was written on no disk of its own: durability waitaof needs its own and 0$/,
    )
    await set(server, 'appendfsync', 'always')
    await accepted(() => buffer.push(named('b')))
  })

  it('waits for the disks of replicas too', async () => {
    await using server = await valkey()
    const args = ['--replicaof', `127.0.0.1 ${server.port}`]
    const settings = { durability: 'waitaof', durability_replicas: 1 }
    await using alone = await openBuffer(server.url, { ...settings, ...QUICK })
    expect((await refusal(alone.push(named('a')))).message).toMatch(/on the disks of 0 replicas/)

    await using _replica = await valkey(args)
    await using buffer = await openBuffer(server.url, settings)

    await accepted(() => buffer.push(named('a')))
  })

  it('confirms many pushes with one question', async () => {
    await using server = await valkey()
    await using buffer = await openBuffer(server.url, {
      durability: 'waitaof',
      element_size: '1KiB',
      compression: 'none',
    })
    const pushes = 400

    await Promise.all(
      Array.from({ length: pushes }, (_, i) => buffer.push(batchOf(1, () => `${i}`.padEnd(1500, '.')))),
    )

    const stats = await withAdmin(server, (admin) => admin.info('commandstats'))
    const calls = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1])
    expect(await queued(server, buffer.stream)).toBe(pushes)
    expect(calls('waitaof')).toBeLessThan(pushes / 20)
  })

  it('does not start with a server that has no append-only file', async () => {
    await using server = await valkey(['--appendonly', 'no'])

    await expect(openBuffer(server.url, { durability: 'waitaof' })).rejects.toThrow(
      /cannot be asked to confirm what was written: WAITAOF cannot be used when numlocal is set but appendonly is disabled/,
    )
  })

  it('does not start with a server that is too old for it', async () => {
    await using server = await valkey(['--rename-command', 'WAITAOF', 'GONE'])

    await expect(openBuffer(server.url, { durability: 'waitaof' })).rejects.toThrow(
      /does not know WAITAOF: durability waitaof needs Redis 7\.2 or Valkey$/,
    )
  })
})

const CASES = [
  ['server', 'everysec', 'redis', ''],
  ['always', 'always', 'redis', ''],
  ['waitaof', 'always', 'valkey', noValkey],
  ['waitaof', 'everysec', 'redis', noHonestWaitaof],
] as const

describe.each(CASES)(
  'durability %s with appendfsync %s on %s',
  (durability, appendfsync, flavour, problem) => {
    const args = ['--appendfsync', appendfsync]

    /** Ends the server under load, starts it again, and takes what it still has. */
    async function through(what: string, server: RedisServer, end: () => Promise<unknown>) {
      const settings: Settings = { durability, linger: '1ms' }
      await using buffer = await openBuffer(server.url, settings)
      const load = new Load(buffer)
      await load.more(100)
      await end()
      const at = Date.now()
      await server.restart()
      await load.more(20)
      await load.stop()
      await load.drain(buffer)
      const outcome = load.outcome(at)
      print(`${what}, ${durability}, appendfsync ${appendfsync}, ${flavour}`, outcome)
      return outcome
    }

    it.skipIf(problem)(`loses nothing when the process is killed${unless(problem)}`, async () => {
      await using server = await startRedis({ flavour, args })

      const { lost, renamed, window } = await through('kill -9', server, () => server.kill())

      expect(renamed).toBe(0)
      // Redis may put a write off for up to two seconds while the disk is slow.
      expect(window).toBeLessThanOrEqual(durability === 'server' ? 2_000 : 0)
      if (durability !== 'server') expect(lost).toBe(0)
    })

    it.skipIf(problem || noPowerCut)(
      `loses ${durability === 'server' ? 'at most two seconds' : 'nothing'} when the power fails${unless(problem || noPowerCut)}`,
      async () => {
        await using power = await preparePowerCut()
        await using server = await startRedis({ flavour, args, env: power.env })

        const { lost, renamed, window } = await through('power cut', server, async () => {
          const before = await power.syncs()
          await eventually(async () => (await power.syncs()) > before)
          // In the midst of the second that everysec takes.
          await sleep(300)
          expect(await power.cut(server)).toBeGreaterThanOrEqual(0)
        })

        expect(renamed).toBe(0)
        if (durability === 'server') {
          expect(lost).toBeGreaterThan(0)
          expect(window).toBeLessThanOrEqual(2_000)
        } else {
          expect(lost).toBe(0)
        }
      },
    )
  },
)
