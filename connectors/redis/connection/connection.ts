import { accessOf } from './access.ts'
import { RedisClient } from './client.ts'
import { ClusterLocator } from './cluster.ts'
import type { Target } from './link.ts'
import { fixed, type Locator } from './locator.ts'
import { SentinelLocator } from './sentinel.ts'
import { type ConnectionConfig, databaseIn } from './settings.ts'
import { slotOf } from './slot.ts'

/** All connections of a connector, whatever the servers are: one, those behind sentinels, or a cluster. */
export class Connection {
  readonly #config: ConnectionConfig
  readonly #name: string
  readonly #clients = new Map<string, RedisClient>()

  /** `name`: what CLIENT LIST shows, followed by the role. */
  constructor(config: ConnectionConfig, name: string) {
    this.#config = config
    this.#name = name
  }

  /**
   * The client for the server that holds `key`, and so for all keys with its hash tag. Roles have connections of
   * their own, so that what one sends does not hold up another; within a role those share one whose server is the same.
   */
  at(role: string, key: string): RedisClient {
    const slot = this.#config.cluster ? slotOf(key) : undefined
    const id = `${role} ${slot}`
    let client = this.#clients.get(id)
    if (client === undefined) {
      const name = `${this.#name}:${role}`
      client = new RedisClient({
        locator: this.#locator(slot, name),
        timeout: this.#config.command_timeout,
        name,
      })
      this.#clients.set(id, client)
    }
    return client
  }

  /** The same, once it has tried to connect. */
  async reach(role: string, key: string): Promise<RedisClient> {
    const client = this.at(role, key)
    await client.connect()
    return client
  }

  /**
   * Resolves once every client has tried to connect.
   * @throws Error where a file that a setting names cannot be read
   */
  async connect(): Promise<void> {
    await this.#access()
    await this.#sentinelAccess()
    await Promise.all([...this.#clients.values()].map((client) => client.connect()))
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }

  #locator(slot: number | undefined, name: string): Locator {
    const { sentinel, cluster, url, command_timeout: timeout } = this.#config
    const access = (): Promise<Target> => this.#access()
    if (sentinel) {
      const sentinelAccess = (): Promise<Target> => this.#sentinelAccess()
      return new SentinelLocator({ ...sentinel, access, sentinelAccess, timeout, name })
    }
    if (cluster) return new ClusterLocator({ ...cluster, slot: slot ?? 0, access, timeout, name })
    const { protocol, host, pathname } = new URL(url)
    return fixed(`${protocol}//${host}${isSocket(protocol) ? pathname : ''}`, access)
  }

  /** How to get into the server, and where the url says so, where it is. */
  async #access(): Promise<Target> {
    const { sentinel, cluster, tls, database, url } = this.#config
    const target = await accessOf(this.#config, tls ?? (url.startsWith('rediss:') ? PLAIN_TLS : undefined))
    if (database !== undefined) target.db = database
    return sentinel || cluster ? target : { ...target, ...targetOf(new URL(url)) }
  }

  async #sentinelAccess(): Promise<Target> {
    const { sentinel, tls } = this.#config
    return sentinel ? accessOf(sentinel, tls) : {}
  }
}

const PLAIN_TLS = { insecure_skip_verify: false, min_version: '1.2' } as const

const isSocket = (protocol: string): boolean => protocol.endsWith('unix:')

function targetOf(url: URL): Target {
  const { protocol, hostname, port, pathname, username, password } = url
  const target: Target = isSocket(protocol)
    ? { path: decodeURIComponent(pathname) }
    : { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }
  const database = databaseIn(url)
  if (database !== undefined) target.db = Number(database)
  if (username !== '') target.username = decodeURIComponent(username)
  if (password !== '') target.password = decodeURIComponent(password)
  return target
}
