import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { Redis as Client } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { slotOf } from '../../../connectors/redis/connection/slot.ts'
import type { RedisServer } from '../../servers/redis.ts'
import { startCluster } from '../../servers/redis-cluster.ts'
import { startSentinels } from '../../servers/redis-sentinel.ts'
import { eventually, keyOf, newStream, type OpenBuffer, openBuffer, statsOf } from './harness.ts'
import { Load, print } from './load.ts'

/** Milliseconds for which the replica is kept from following before the primary dies. */
const CUT = 400

type Settings = Readonly<Record<string, unknown>>

/** A deployment that fails over by itself. */
interface Deployment extends AsyncDisposable {
  readonly settings: Settings
  /** The server that holds the stream of the settings. */
  primary(): Promise<RedisServer>
}

async function sentinels(): Promise<Deployment> {
  const setup = await startSentinels()
  return {
    settings: { sentinel: { nodes: setup.nodes }, stream: newStream() },
    primary: () => setup.primary(),
    [Symbol.asyncDispose]: () => setup.stop(),
  }
}

async function cluster(): Promise<Deployment> {
  const setup = await startCluster()
  const stream = newStream()
  return {
    settings: { cluster: { nodes: setup.nodes }, stream },
    primary: async () => (await setup.holder(slotOf(keyOf(stream, 'key')))).server,
    [Symbol.asyncDispose]: () => setup.stop(),
  }
}

/** Throws the replica of a server out and does not let it in again, so that it falls behind. */
async function cutOff(server: RedisServer): Promise<void> {
  const admin: Redis = new Client(server.url)
  // Who is connected stays so; the replica knows no password.
  await admin.config('SET', 'requirepass', 'closed')
  await admin.client('KILL', 'TYPE', 'REPLICA')
  await sleep(CUT)
  admin.disconnect()
}

/** Kills the primary under load, and drains once another has taken its place. */
async function failOver(what: string, deployment: Deployment, settings: Settings, cut: boolean) {
  await using buffer = await openBuffer(undefined, { ...deployment.settings, ...settings, linger: '1ms' })
  const load = new Load(buffer)
  await load.more(50)
  const primary = await deployment.primary()
  if (cut) await cutOff(primary)
  await primary.kill()
  const end = Date.now()
  await eventually(async () => (await deployment.primary()).port !== primary.port, 20_000)
  // It comes back as the replica that durability wait asks for.
  await primary.restart()
  await load.more(50)
  const failover = load.longestGap
  await load.stop()
  await load.drain(buffer)
  const outcome = load.outcome(end)
  print(what, outcome, { failover })
  return outcome
}

/** Pushes and drains while the primary dies. */
async function drainThrough(what: string, deployment: Deployment) {
  await using buffer: OpenBuffer = await openBuffer(undefined, { ...deployment.settings, linger: '1ms' })
  const load = new Load(buffer)
  const drained = load.drain(buffer, 8_000)
  await load.more(50)
  await (await deployment.primary()).kill()
  const end = Date.now()
  await load.more(50)
  const failover = load.longestGap
  await load.stop()
  await drained
  const outcome = load.outcome(end)
  print(what, outcome, { failover })
  await eventually(async () => (await buffer.context.value('sluice_buffer_records')) === 0)
  return outcome
}

describe.each([
  ['Sentinel', sentinels],
  ['Cluster', cluster],
])('a failover by %s under load', (name, start) => {
  it('is followed by gateway and drain without help', async () => {
    await using deployment = await start()

    const { lost, renamed, window } = await drainThrough(`${name}, draining meanwhile`, deployment)

    // Replication is asynchronous: what the replica had not received is gone, and that is little.
    expect(window).toBeLessThan(1_000)
    expect(lost).toBeLessThan(50)
    expect(renamed).toBe(0)
  })

  it('loses what a replica that fell behind did not have, with durability server', async () => {
    await using deployment = await start()

    const outcome = await failOver(`${name}, replica cut off for ${CUT} ms, server`, deployment, {}, true)

    expect(outcome.lost).toBeGreaterThan(0)
    expect(outcome.window).toBeLessThan(CUT + 1_000)
  })

  it('loses nothing acknowledged, with durability wait', async () => {
    await using deployment = await start()
    const wait = { durability: 'wait' }

    const cut = await failOver(`${name}, replica cut off for ${CUT} ms, wait`, deployment, wait, true)

    expect(cut.acknowledged).toBeGreaterThan(50)
    expect(cut.lost).toBe(0)
    expect(cut.renamed).toBe(0)
  })
})

describe('a failover that an operator asks for, under load', () => {
  it('is followed in a cluster by the redirection of the old primary, and loses nothing', async () => {
    await using setup = await startCluster()
    await using buffer = await openBuffer(undefined, { cluster: { nodes: setup.nodes }, linger: '1ms' })
    const slot = slotOf(keyOf(buffer.stream, 'key'))
    const load = new Load(buffer)
    const drained = load.drain(buffer, 3_000)
    await load.more(50)
    const primary = await setup.holder(slot)
    const replica = setup.members[setup.members.indexOf(primary) + 3]

    await replica.admin.call('CLUSTER', 'FAILOVER')
    const end = Date.now()
    await eventually(async () => (await setup.holder(slot)).id === replica.id)
    await load.more(50)
    await load.stop()
    await drained

    const outcome = load.outcome(end)
    print('Cluster, planned', outcome, { failover: load.longestGap })
    expect(outcome).toMatchObject({ lost: 0, renamed: 0 })
    expect(load.longestGap).toBeLessThan(3_000)
  })

  it.each(['server', 'wait'])(
    'is followed behind sentinels before the old primary knows (%s)',
    async (durability) => {
      await using setup = await startSentinels()
      const settings = { sentinel: { nodes: setup.nodes }, linger: '1ms', durability }
      await using buffer = await openBuffer(undefined, settings)
      const load = new Load(buffer)
      await load.more(50)
      const before = await setup.primary()
      const sentinel = new Client(`redis://${setup.nodes[0]}`)

      await sentinel.call('SENTINEL', 'FAILOVER', 'mymaster')
      await eventually(async () => (await setup.primary()).port !== before.port, 20_000)
      const switched = Date.now()
      const next = new Client((await setup.primary()).url)
      const pushed = async () => (await statsOf(next, buffer.stream)).pushed
      const already = await pushed()
      await eventually(async () => (await pushed()) > already, 20_000)
      const followed = Date.now() - switched
      await load.more(50)
      await load.stop()
      await load.drain(buffer)
      for (const client of [sentinel, next]) client.disconnect()

      const outcome = load.outcome(switched)
      print(`Sentinel, planned, ${durability}`, outcome, { failover: load.longestGap, followed })
      expect(outcome.renamed).toBe(0)
      // Until the sentinels have told everybody, which is seconds earlier than they tell the old primary.
      expect(outcome.window).toBeLessThan(2_000)
      if (durability === 'server') expect(followed).toBeLessThan(2_000)
      else expect(outcome.lost).toBe(0)
    },
  )
})
