import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type TemporaryFolder, temporaryFolder } from './at-exit.ts'
import { freePort } from './ports.ts'
import { Child } from './process.ts'
import { type RedisServer, redisProgram, startRedis } from './redis.ts'

const SENTINELS = 3
const DOWN_AFTER = 500
const BOOT_TIMEOUT = 60_000

export interface SentinelOptions {
  /** More arguments of every redis-server. */
  readonly args?: readonly string[]
  /** Asked of whoever talks to a sentinel. */
  readonly password?: string
  /** Password that the servers ask for. */
  readonly auth?: string
}

/** A primary, a replica, and three real sentinels that watch them under the name `mymaster`. */
export interface SentinelServers extends AsyncDisposable {
  /** host:port of the sentinels. */
  readonly nodes: readonly string[]
  /** The servers; which is the primary changes. */
  readonly servers: readonly [RedisServer, RedisServer]
  /** The one of `servers` that is the primary of this moment, as the sentinels say. */
  primary(): Promise<RedisServer>
  stop(): Promise<void>
}

export async function startSentinels(options: SentinelOptions = {}): Promise<SentinelServers> {
  const args = [...(options.args ?? []), '--repl-diskless-sync-delay', '0']
  const stack = new AsyncDisposableStack()
  try {
    const first = stack.use(await startRedis({ args }))
    const replica = ['--replicaof', `127.0.0.1 ${first.port}`]
    const second = stack.use(await startRedis({ args: [...args, ...replica] }))
    const folder = await temporaryFolder('sentinel')
    stack.defer(() => folder.remove())
    const ports: number[] = []
    for (let i = 0; i < SENTINELS; i++) {
      const port = await freePort()
      const child = await startSentinel(folder, port, first.port, options)
      stack.defer(async () => {
        await child.stop(BOOT_TIMEOUT)
      })
      ports.push(port)
    }
    const admins = ports.map(
      (port) =>
        new Redis({ port, ...(options.password === undefined ? {} : { password: options.password }) }),
    )
    stack.defer(() => admins.forEach((admin) => admin.disconnect()))
    for (const admin of admins) await untilComplete(admin)
    return {
      nodes: ports.map((port) => `127.0.0.1:${port}`),
      servers: [first, second],
      async primary() {
        const [, port] = (await admins[0].call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')) as string[]
        return Number(port) === first.port ? first : second
      },
      stop: () => stack.disposeAsync(),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function startSentinel(
  { path }: TemporaryFolder,
  port: number,
  primary: number,
  { password, auth }: SentinelOptions,
): Promise<Child> {
  const file = join(path, `sentinel-${port}.conf`)
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${path}`,
    `sentinel monitor mymaster 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds mymaster ${DOWN_AFTER}`,
    'sentinel failover-timeout mymaster 3000',
  ]
  if (password !== undefined) lines.push(`requirepass ${password}`, `sentinel sentinel-pass ${password}`)
  if (auth !== undefined) lines.push(`sentinel auth-pass mymaster ${auth}`)
  await writeFile(file, `${lines.join('\n')}\n`)
  const child = new Child(await redisProgram(), [file, '--sentinel'])
  try {
    await child.line(/\+monitor master mymaster/, BOOT_TIMEOUT)
    return child
  } catch (error) {
    await child.kill()
    throw error
  }
}

/** Until the sentinel knows the replica and the other sentinels; only then there can be a failover. */
async function untilComplete(admin: Redis): Promise<void> {
  await admin.call('SENTINEL', 'DEBUG', 'PUBLISH-PERIOD', '200', 'INFO-PERIOD', '500')
  const end = Date.now() + BOOT_TIMEOUT
  for (;;) {
    const state = (await admin.call('SENTINEL', 'MASTER', 'mymaster')) as string[] | Record<string, string>
    const fields = Array.isArray(state) ? state : Object.entries(state).flat()
    const value = (name: string): number => Number(fields[fields.indexOf(name) + 1])
    if (value('num-slaves') === 1 && value('num-other-sentinels') === SENTINELS - 1) return
    if (Date.now() > end) throw new Error(`a sentinel did not find the others: ${fields.join(' ')}`)
    await sleep(50)
  }
}
