import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { type Certificates, makeCertificates } from '../../servers/certificates.ts'
import { freePort } from '../../servers/ports.ts'
import { type RedisServer, startRedis } from '../../servers/redis.ts'
import { startCluster } from '../../servers/redis-cluster.ts'
import { startSentinels } from '../../servers/redis-sentinel.ts'
import { keyOf, named, nameOf, newStream, openBuffer, refusal, takeOne } from './harness.ts'

type Settings = Readonly<Record<string, unknown>>

/** Pushes and drains over connections made with these settings. */
async function passThrough(url: string | undefined, settings: Settings = {}): Promise<unknown> {
  await using buffer = await openBuffer(url, settings)
  await buffer.push(named('through'))
  return nameOf(await takeOne(buffer.connector))
}

/** Why a push over such a connection is refused. */
async function refused(url: string | undefined, settings: Settings = {}) {
  await using buffer = await openBuffer(url, settings)
  return refusal(buffer.push(named('a')))
}

describe('a Redis behind a socket of the machine', () => {
  it('is reached by unix: and redis+unix: urls, in the database they name', async () => {
    await using server = await startRedis({ args: ['--unixsocket', 'redis.sock'] })
    const path = join(server.dir, 'redis.sock')

    expect(await passThrough(`unix://${path}`)).toBe('through')
    expect(await passThrough(`redis+unix://${path}?db=3`, { stream: 'in-three' })).toBe('through')

    const admin = new Redis(server.url, { db: 3 })
    expect(await admin.keys('*')).toContain(keyOf('in-three', 'key'))
    admin.disconnect()
    const wrong = await refused(`unix://${path}.gone`)
    expect(wrong.message).toBe(`unix://${path}.gone is unreachable: connect ENOENT ${path}.gone`)
  })

  it('takes users and passwords from settings and from a file', async () => {
    const users = ['--user', 'gateway', 'on', '>secret', '~*', '&*', '+@all', '--user', 'default', 'off']
    await using server = await startRedis({ args: users })
    const folder = await temporaryFolder('password')
    const file = join(folder.path, 'password')
    await writeFile(file, 'secret\n')

    const gateway = { username: 'gateway' }
    expect(await passThrough(server.url, { ...gateway, password: 'secret' })).toBe('through')
    expect(await passThrough(server.url, { ...gateway, password_file: file })).toBe('through')
    expect(await passThrough(server.url.replace('//', '//gateway:secret@'))).toBe('through')
    expect((await refused(server.url, { ...gateway, password: 'wrong' })).reason).toBe('denied')
    expect((await refused(server.url)).reason).toBe('denied')
    await folder.remove()
    await expect(openBuffer(server.url, { ...gateway, password_file: file })).rejects.toThrow(
      `password_file: ${file} cannot be read (ENOENT)`,
    )
  })
})

describe('a Redis with TLS', () => {
  let certificates: Certificates
  let server: RedisServer
  let url: string

  beforeAll(async () => {
    certificates = await makeCertificates()
    const port = await freePort()
    const { cert, key } = certificates.server
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', certificates.ca]
    server = await startRedis({ port: 0, args: ['--tls-port', String(port), ...files] })
    url = `rediss://127.0.0.1:${port}`
  })
  afterAll(async () => {
    await server.stop()
    await certificates[Symbol.asyncDispose]()
  })

  const tls = (settings: Settings) => {
    const { cert, key } = certificates.client
    return { tls: { ca_file: certificates.ca, cert_file: cert, key_file: key, ...settings } }
  }

  it('is reached with the certificate it asks for', async () => {
    expect(await passThrough(url, tls({}))).toBe('through')
    expect(await passThrough(url, tls({ min_version: '1.3' }))).toBe('through')
  })

  it('is not trusted when nobody who is trusted vouches for it, unless that is not to be checked', async () => {
    const stranger = { ca_file: certificates.stranger.cert }

    const error = await refused(url, tls(stranger))

    expect(error.reason).toBe('unreachable')
    expect(error.message).toMatch(/certificate/)
    expect(await passThrough(url, tls({ ...stranger, insecure_skip_verify: true }))).toBe('through')
  })

  it('must have the name that was asked for', async () => {
    expect(await passThrough(url, tls({ server_name_override: 'redis.test' }))).toBe('through')
    const error = await refused(url, tls({ server_name_override: 'other.test' }))
    expect(error.message).toMatch(/altnames/)
  })

  it('refuses who has no certificate', async () => {
    const error = await refused(url, { tls: { ca_file: certificates.ca } })

    expect(error.reason).toBe('unreachable')
  })
})

describe('a primary behind sentinels', () => {
  it('is found by those that answer, with the passwords of both', async () => {
    const args = ['--requirepass', 'for-redis', '--masterauth', 'for-redis']
    await using setup = await startSentinels({ args, password: 'for-sentinel', auth: 'for-redis' })
    const dead = `127.0.0.1:${await freePort()}`
    const sentinel = { nodes: [dead, ...setup.nodes], password: 'for-sentinel' }

    expect(await passThrough(undefined, { sentinel, password: 'for-redis' })).toBe('through')

    const unknown = await refused(undefined, {
      sentinel: { ...sentinel, master: 'other' },
      password: 'for-redis',
    })
    expect(unknown.message).toMatch(/^the primary of other is unreachable: no sentinel tells where other is/)
    const locked = await refused(undefined, { sentinel: { nodes: setup.nodes }, password: 'for-redis' })
    expect(locked.message).toMatch(/NOAUTH/)
    expect(`${locked.stack} ${unknown.stack}`).not.toMatch(/for-redis|for-sentinel/)
  })

  it('is refused when it is a replica by now', async () => {
    await using primary = await startRedis()
    await using replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] })

    const error = await refused(replica.url)

    expect(error.reason).toBe('readonly')
    expect(error.message).toMatch(/replica: the url must lead to the primary/)
  })
})

describe('a cluster', () => {
  it('takes every stream at the node that holds its slot', async () => {
    await using setup = await startCluster()
    const streams = Array.from({ length: 6 }, newStream)

    for (const stream of streams) {
      expect(await passThrough(undefined, { cluster: { nodes: setup.nodes.slice(0, 1) }, stream })).toBe(
        'through',
      )
    }

    const used = await Promise.all(setup.members.slice(0, 3).map(({ admin }) => admin.dbsize()))
    expect(used.filter((keys) => keys > 0).length).toBeGreaterThan(1)
    const [{ server }] = setup.members
    const reasons = await Promise.all(
      streams.map(async (stream) => {
        try {
          return await passThrough(server.url, { stream })
        } catch (error) {
          return String(error)
        }
      }),
    )
    expect(reasons).toContainEqual(expect.stringMatching(/set cluster instead of url/))
  })
})
