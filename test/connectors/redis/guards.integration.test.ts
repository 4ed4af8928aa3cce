import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { STATES, type State } from '../../../connectors/redis/server/states.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { startRedis } from '../../servers/redis.ts'
import {
  batchOf,
  consume,
  eventually,
  named,
  nameOf,
  type OpenBuffer,
  openBuffer,
  pushed,
  refusal,
  takeOne,
} from './harness.ts'

/** A look is taken every second, and told of when it takes another. */
const SEEN = 4_000

/** The states that the metrics show. */
async function states({ context }: OpenBuffer): Promise<State[]> {
  const shown: State[] = []
  for (const state of STATES)
    if ((await context.value('sluice_redis_state', { state })) === 1) shown.push(state)
  return shown
}

async function shows(buffer: OpenBuffer, ...wanted: State[]): Promise<void> {
  await expect.poll(() => states(buffer), { timeout: SEEN, interval: 20 }).toEqual(wanted)
}

const detailOf = ({ context }: OpenBuffer): string => context.states.at(-1)?.detail ?? ''
const healthOf = ({ context }: OpenBuffer): string => context.states.at(-1)?.state ?? ''

function client(url: string): Redis {
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  return redis
}

describe('the state of a Redis server', () => {
  it('is shown for everything that can be wrong with one, also when nothing is', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)

    expect(await states(buffer)).toEqual([])
    expect(healthOf(buffer)).toBe('ok')
    for (const state of STATES) {
      expect(await buffer.context.has('sluice_redis_state', { state })).toBe(true)
    }
  })

  it('evicting: is seen when the policy is changed, and again when it is mended', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)
    const admin = client(server.url)

    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await shows(buffer, 'evicting')
    expect(detailOf(buffer)).toContain('set noeviction')
    expect((await refusal(buffer.push(named('a')))).reason).toBe('policy')

    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await shows(buffer)
    await buffer.push(named('a'))
  })

  it('evicting: is mended with fix_noeviction, at the start and whenever it comes back', async () => {
    await using server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    await using buffer = await openBuffer(server.url, { fix_noeviction: true })
    const admin = client(server.url)
    const policy = async () => (await admin.config('GET', 'maxmemory-policy'))[1]

    expect(await policy()).toBe('noeviction')
    await buffer.push(named('a'))
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl')

    await expect.poll(policy, { timeout: SEEN }).toBe('noeviction')
  })

  it('evicting: keeps fix_noeviction from starting where the user may not set the policy', async () => {
    await using server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    const admin = client(server.url)
    await admin.acl('SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-config')

    const starting = openBuffer(server.url.replace('//', '//app:secret@'), { fix_noeviction: true })

    await expect(starting).rejects.toThrow(/allkeys-lru.*the user may not run CONFIG SET.*\+config\|set/)
  })

  it('no_maxmemory and aof_off: are warned of, and logs are taken', async () => {
    await using server = await startRedis({ args: ['--maxmemory', '0', '--appendonly', 'no'] })
    await using buffer = await openBuffer(server.url)

    await buffer.push(named('a'))

    expect(await states(buffer)).toEqual(['no_maxmemory', 'aof_off'])
    expect(healthOf(buffer)).toBe('degraded')
    const admin = client(server.url)
    await admin.config('SET', 'maxmemory', '1gb')
    await admin.config('SET', 'appendonly', 'yes')
    await shows(buffer)
  })

  it('replica_missing: pushes are refused until as many follow as require_replicas asks for', async () => {
    await using server = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
    await using buffer = await openBuffer(server.url, { require_replicas: 1 })

    expect(await states(buffer)).toEqual(['replica_missing'])
    expect((await refusal(buffer.push(named('a')))).reason).toBe('no_replicas')
    expect(detailOf(buffer)).toContain('has 0 of the 1 replicas of require_replicas')
    await using _replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] })

    await pushed(() => buffer.push(named('a')))
    await shows(buffer)
  })

  it('replica_missing: is seen where the server itself asks for replicas', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)
    const admin = client(server.url)

    await admin.config('SET', 'min-replicas-to-write', '1')
    await shows(buffer, 'replica_missing')
    expect((await refusal(buffer.push(named('a')))).reason).toBe('no_replicas')

    await admin.config('SET', 'min-replicas-to-write', '0')
    await pushed(() => buffer.push(named('a')))
    await shows(buffer)
  })

  it('readonly: is seen when a primary becomes a replica, and when it is one again', async () => {
    await using server = await startRedis()
    await using other = await startRedis()
    await using buffer = await openBuffer(server.url)
    const admin = client(server.url)

    await admin.replicaof('127.0.0.1', other.port)
    await shows(buffer, 'readonly')
    expect((await refusal(buffer.push(named('a')))).reason).toBe('readonly')
    expect(detailOf(buffer)).toContain('lead to the primary')

    await admin.replicaof('NO', 'ONE')
    await pushed(() => buffer.push(named('a')))
    await shows(buffer)
  })

  it('loading: is seen while the server reads its data, and afterwards that it was restarted', async () => {
    const slow = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']
    await using server = await startRedis({ args: slow })
    await using buffer = await openBuffer(server.url)
    await buffer.push(named('a'))
    const admin = client(server.url)
    await admin.eval("for i = 1, 6000 do redis.call('SET', 'ballast:' .. i, string.rep('x', 100)) end", 0)

    const restarting = server.restart()
    await expect.poll(() => states(buffer), { timeout: 15_000, interval: 20 }).toContain('loading')
    expect((await refusal(buffer.push(named('b')))).reason).toBe('loading')
    await restarting

    await pushed(() => buffer.push(named('b')))
    await shows(buffer, 'failover')
    expect(nameOf(await takeOne(buffer.connector))).toBe('a')
  })

  it('busy: is seen while a script runs too long, and is over when that is', async () => {
    await using server = await startRedis({ args: ['--busy-reply-threshold', '100'] })
    await using buffer = await openBuffer(server.url)
    const admin = client(server.url)
    const killer = client(server.url)
    await killer.ping()

    const endless = admin.eval('while true do end', 0).catch(String)
    await shows(buffer, 'busy')
    expect((await refusal(buffer.push(named('a')))).reason).toBe('busy')
    expect(detailOf(buffer)).toContain('SCRIPT KILL')
    await killer.script('KILL')

    expect(await endless).toContain('killed')
    await pushed(() => buffer.push(named('a')))
    await shows(buffer)
  })

  it('busy: does not hide the server from who connects meanwhile', async () => {
    await using server = await startRedis({ args: ['--busy-reply-threshold', '100'] })
    const admin = client(server.url)
    const killer = client(server.url)
    await killer.ping()
    const endless = admin.eval('while true do end', 0).catch(String)
    await using buffer = await openBuffer(server.url, { command_timeout: '500ms' })

    await shows(buffer, 'busy')
    await killer.script('KILL')
    await endless

    await pushed(() => buffer.push(named('a')))
    await shows(buffer)
  })

  it('unreachable: is seen when the server is gone, and a failover when another runs in its place', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url)

    await server.kill()
    await shows(buffer, 'unreachable')
    expect(healthOf(buffer)).toBe('failed')
    await server.restart()

    await pushed(() => buffer.push(named('a')))
    await shows(buffer, 'failover')
    expect(healthOf(buffer)).toBe('degraded')
    expect(detailOf(buffer)).toContain('within the last minute')
  })

  it('unreachable: is seen when the server is frozen, long before its answers are given up', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url, { command_timeout: '30s' })

    server.pause()
    await shows(buffer, 'unreachable')
    expect(detailOf(buffer)).toContain('has not answered')
    const late = buffer.push(named('a'))
    server.resume()

    await late
    await shows(buffer)
  })
})

describe('a Redis server that could not save a snapshot', () => {
  it.each([
    ['yes', 'failed'],
    ['no', 'degraded'],
  ])('misconf: with stop-writes-on-bgsave-error %s is %s', async (stops, health) => {
    const args = ['--save', '3600 1', '--stop-writes-on-bgsave-error', stops]
    await using server = await startRedis({ args })
    await using buffer = await openBuffer(server.url)
    const admin = client(server.url)
    // No file can take the name of a folder.
    mkdirSync(join(server.dir, 'dump.rdb'))

    await admin.bgsave()
    await shows(buffer, 'misconf')
    expect(healthOf(buffer)).toBe(health)
    const push = buffer.push(named('a'))
    if (stops === 'yes') expect((await refusal(push)).reason).toBe('misconf')
    else await push

    rmdirSync(join(server.dir, 'dump.rdb'))
    await admin.bgsave()
    await shows(buffer)
    await buffer.push(named('b'))
  })
})

/** Where nobody may mount, there is no disk to fill. */
const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0
describe.each(mayMount ? [4] : [])('a Redis server with a disk of %d MB', (size) => {
  it('misconf: pushes are refused while it is full, and nothing that was accepted is lost', async () => {
    const temporary = await temporaryFolder('full-disk')
    const folder = join(temporary.path, 'small')
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', folder])
    onTestFinished(async () => {
      execFileSync('umount', ['-l', folder])
      await temporary.remove()
    })
    await using server = await startRedis({ dir: folder, args: ['--auto-aof-rewrite-percentage', '0'] })
    await using buffer = await openBuffer(server.url, { compression: 'none' })
    execFileSync('sh', ['-c', `head -c ${size - 1}000000 /dev/zero > ${folder}/other`])
    const accepted: string[] = []

    const fill = async (): Promise<string> => {
      for (let i = 0; i < 200; i++) {
        const name = `${i}:`.padEnd(50_000, '.')
        try {
          await buffer.push(named(name))
        } catch (error) {
          return (error as { reason: string }).reason
        }
        accepted.push(name)
      }
      return 'nothing'
    }
    expect(await fill()).toBe('misconf')
    await shows(buffer, 'misconf')
    expect(healthOf(buffer)).toBe('failed')
    expect(detailOf(buffer)).toContain('free space on its disk')
    execFileSync('rm', [join(folder, 'other')])

    await pushed(() => buffer.push(batchOf(1)))
    await shows(buffer)
    const consumer = consume(buffer.connector)
    const found: unknown[] = []
    while (found.length < accepted.length) {
      const lease = await consumer.next()
      found.push(nameOf(lease.batch))
      await lease.ack()
    }
    await consumer.abort()
    expect(found).toEqual(accepted)
  })
})

describe('shedding in front of a queue', () => {
  it('acknowledges what gives way, counts it once, and counts nothing of what is refused', async () => {
    await using server = await startRedis()
    await using buffer = await openBuffer(server.url, { max_records: 100, shedding: { debug: 0.5 } })
    const ofSeverity = (severityNumber: number, records: number): LogBatch => {
      const logRecords = Array.from({ length: records }, () => ({ severityNumber }))
      return LogBatch.decode(
        encodeJsonRequest(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })),
      )
    }
    const dropped = () => buffer.context.value('sluice_dropped_log_records_total', { reason: 'shed_debug' })
    await buffer.push(ofSeverity(9, 60))

    const all = ofSeverity(5, 10)
    await buffer.push(all)
    expect(await dropped()).toBe(10)
    expect(all.size).toBe(10)

    await buffer.push(ofSeverity(9, 25))
    await refusal(buffer.push(ofSeverity(5, 10)))
    expect(await dropped()).toBe(10)
    expect(await buffer.context.value('sluice_buffer_pushed_log_records_total')).toBe(85)
  })
})

describe('a burst between two looks', () => {
  it('stops at the high watermark', async () => {
    await using server = await startRedis({ args: ['--maxmemory', '40mb'] })
    await using buffer = await openBuffer(server.url, { compression: 'none' })
    const body = '.'.repeat(200_000)
    const before = await buffer.context.value('sluice_buffer_limit_ratio', { limit: 'memory' })
    let refused = 0

    for (let i = 0; i < 60; i++) {
      const group = Array.from({ length: 10 }, () => buffer.push(batchOf(1, () => body)))
      for (const { status } of await Promise.allSettled(group)) if (status === 'rejected') refused++
    }

    const info = await client(server.url).info('memory')
    const used = Number(/used_memory:(\d+)/.exec(info)?.[1])
    expect(before).toBeLessThan(0.5)
    expect(refused).toBeGreaterThan(300)
    expect(used / (40 * 1024 * 1024)).toBeGreaterThan(0.6)
    expect(used / (40 * 1024 * 1024)).toBeLessThan(0.95)
    await eventually(async () => (await buffer.context.value('sluice_buffer_watermark_state')) > 0)
  })
})
