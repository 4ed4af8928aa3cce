import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './ports.ts'
import { type RedisServer, startRedis } from './redis.ts'

const PRIMARIES = 3
const SLOTS = 16_384
const BOOT_TIMEOUT = 60_000

export interface ClusterNode {
  readonly server: RedisServer
  readonly admin: Redis
  readonly id: string
}

/** Three primaries with a replica each, all on this machine. */
export interface ClusterServers extends AsyncDisposable {
  /** host:port of all nodes. */
  readonly nodes: readonly string[]
  readonly members: readonly ClusterNode[]
  /** The primary that holds a slot at this moment. */
  holder(slot: number): Promise<ClusterNode>
  stop(): Promise<void>
}

export async function startCluster(args: readonly string[] = []): Promise<ClusterServers> {
  const stack = new AsyncDisposableStack()
  try {
    const starts = await Promise.all(Array.from({ length: PRIMARIES * 2 }, () => startNode(args)))
    const members = starts.map(({ server, admin, id }) => {
      stack.use(server)
      stack.defer(() => admin.disconnect())
      return { server, admin, id }
    })
    await join(members, starts)
    return {
      nodes: members.map(({ server }) => `127.0.0.1:${server.port}`),
      members,
      holder: (slot) => holder(members, slot),
      stop: () => stack.disposeAsync(),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function startNode(args: readonly string[]): Promise<ClusterNode & { readonly bus: number }> {
  const bus = await freePort()
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-port': String(bus),
    'cluster-node-timeout': '1000',
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = await startRedis({ args: [...flags, ...args] })
  const admin = new Redis(server.url, { retryStrategy: () => 200 })
  admin.on('error', () => {})
  return { server, admin, bus, id: String(await admin.call('CLUSTER', 'MYID')) }
}

async function join(members: readonly ClusterNode[], starts: readonly { bus: number }[]): Promise<void> {
  for (const [index, { admin }] of members.entries()) {
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    if (index >= PRIMARIES) continue
    const [first, after] = [index, index + 1].map((share) => Math.floor((share * SLOTS) / PRIMARIES))
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(after - 1))
  }
  const [{ server }] = members
  for (const { admin } of members.slice(1)) {
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(starts[0].bus))
  }
  for (const { admin } of members) {
    await until(admin, async () => (await view(admin)).length === members.length)
  }
  for (const [index, { admin }] of members.slice(PRIMARIES).entries()) {
    await admin.call('CLUSTER', 'REPLICATE', members[index].id)
  }
  for (const { admin } of members) {
    await until(admin, async () => {
      const state = String(await admin.call('CLUSTER', 'INFO'))
      const replicas = (await view(admin)).filter((line) => /\bslave\b/.test(line))
      return state.includes('cluster_state:ok') && replicas.length === PRIMARIES
    })
  }
  for (const { admin } of members.slice(PRIMARIES)) {
    await until(admin, async () => (await admin.info('replication')).includes('master_link_status:up'))
  }
}

async function view(admin: Redis): Promise<string[]> {
  return String(await admin.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n')
}

async function until(admin: Redis, check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + BOOT_TIMEOUT
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`the cluster did not come up: ${(await view(admin)).join('; ')}`)
    await sleep(50)
  }
}

async function holder(members: readonly ClusterNode[], slot: number): Promise<ClusterNode> {
  for (const { admin } of members) {
    const ranges = await admin.call('CLUSTER', 'SLOTS').catch(() => [])
    for (const [first, last, [, , id]] of ranges as [number, number, [string, number, string]][]) {
      if (first > slot || slot > last) continue
      const found = members.find((member) => member.id === id)
      if (found) return found
    }
  }
  throw new Error(`nobody serves slot ${slot}`)
}
