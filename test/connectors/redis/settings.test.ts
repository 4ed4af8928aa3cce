import { describe, expect, it } from 'vitest'
import { RedisConfig } from '../../../connectors/redis/config.ts'
import { slotOf } from '../../../connectors/redis/connection/slot.ts'

/** What is wrong with settings, as `where: what`. */
function problems(settings: object): string[] {
  const { error } = RedisConfig.safeParse(settings)
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const sentinel = { nodes: ['10.0.0.1'] }
const cluster = { nodes: ['10.0.0.1:7000', '[::1]:7001'] }

describe('the settings of the connection', () => {
  it('take every kind of server', () => {
    expect(problems({})).toEqual([])
    expect(problems({ url: 'unix:///run/redis.sock?db=3' })).toEqual([])
    expect(problems({ url: 'redis+unix:///run/redis.sock', username: 'a', password: 'b' })).toEqual([])
    expect(problems({ url: 'rediss://host:6380/2', tls: { min_version: '1.3' } })).toEqual([])
    expect(problems({ sentinel, database: 2, tls: {} })).toEqual([])
    expect(RedisConfig.parse({ sentinel }).sentinel).toMatchObject({
      master: 'mymaster',
      nodes: [{ host: '10.0.0.1', port: 26379 }],
    })
    expect(RedisConfig.parse({ cluster }).cluster?.nodes).toEqual([
      { host: '10.0.0.1', port: 7000 },
      { host: '::1', port: 7001 },
    ])
  })

  it.each<[object, string]>([
    [{ url: 'http://host' }, 'url: expected redis://host:port, rediss:// for TLS, or unix:///path/to/socket'],
    [{ url: 'host' }, 'url: expected redis://host:port, rediss:// for TLS, or unix:///path/to/socket'],
    [{ url: 'redis://host/logs' }, 'url: expected the number of a database after the host'],
    [{ sentinel, cluster }, 'cluster: cannot be set together with sentinel'],
    [{ url: 'redis://host:1', sentinel }, 'url: cannot be set together with sentinel'],
    [{ url: 'redis://host:1', cluster }, 'url: cannot be set together with cluster'],
    [{ cluster: { nodes: ['a b'] } }, 'cluster.nodes.0: expected host:port such as 10.0.0.3:6379'],
    [{ cluster: { nodes: ['host:70000'] } }, 'cluster.nodes.0: expected a port from 1 to 65535'],
    [{ cluster, database: 1 }, 'database: a cluster has no database but 0'],
    [{ url: 'redis://host', tls: {} }, 'tls: is for rediss://, which url is not'],
    [{ url: 'redis://u:p@host', username: 'u' }, 'username: is in url as well: set it once'],
    [{ url: 'redis://u:p@host', password_file: '/p' }, 'password_file: is in url as well: set it once'],
    [{ url: 'redis://host/1', database: 1 }, 'database: is in url as well: set it once'],
    [{ password: 'a', password_file: '/b' }, 'password_file: cannot be set together with password'],
    [
      { sentinel: { ...sentinel, password: 'a', password_file: '/b' } },
      'sentinel.password_file: cannot be set together with password',
    ],
    [{ url: 'rediss://host', tls: { cert_file: '/c' } }, 'tls.key_file: is needed with cert_file'],
    [{ url: 'rediss://host', tls: { key_file: '/k' } }, 'tls.cert_file: is needed with key_file'],
    [
      { durability: 'wait', durability_replicas: 0 },
      'durability_replicas: must be 1 or more for durability wait',
    ],
    [
      { durability: 'always', durability_replicas: 1 },
      'durability_replicas: is for durability wait and waitaof',
    ],
    [
      { durability: 'waitaof', durability_timeout: '3s' },
      'durability_timeout: must be at most half of command_timeout: pushes wait behind each other',
    ],
  ])('refuse %j', (settings, problem) => {
    expect(problems(settings)).toEqual([problem])
  })
})

describe('the slot of a key', () => {
  it('is what the cluster specification says', () => {
    expect(slotOf('123456789')).toBe(0x31c3)
    expect(slotOf('foo')).toBe(12_182)
  })

  it('is that of its hash tag', () => {
    expect(slotOf('sluice:{foo}:queue')).toBe(slotOf('foo'))
    expect(slotOf('a{}b')).not.toBe(slotOf(''))
    expect(slotOf('{foo}{bar}')).toBe(slotOf('foo'))
  })
})
