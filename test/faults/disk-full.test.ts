import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { startRedis } from '../servers/redis.ts'
import { stopwatch } from './kit/figures.ts'
import { KEPT } from './kit/oracle.ts'
import { conservation, startDiskPath, startRedisPath } from './kit/path.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import { mountSmallDisk } from './kit/small-disk.ts'

const MEGABYTES = 8
const ROUNDS = scaled(2, 20)
/** Fills a few megabytes soon. */
const HEAVY = { records: 100, bodyLength: 2_000, pause: 5 }

describe(`F7: a disk of ${MEGABYTES} MB that fills up`, { timeout: timeLimit(300, 1200) }, () => {
  it('with the buffer in a folder: is left alone from min_free on, and used again after deliveries', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using disk = await mountSmallDisk(MEGABYTES)
    const connector = { min_free: '2MiB', segment_size: '1MiB' }
    await using path = await startDiskPath({ directory: join(disk.path, 'buffer'), connector })
    const { ledger, sink, gateway } = path
    await using load = path.load(HEAVY)
    let leastFree = Number.POSITIVE_INFINITY

    for (let round = 0; round < ROUNDS; round++) {
      await sink.down()
      await refusedFor(gateway, 'disk_full')
      leastFree = Math.min(leastFree, await disk.free())
      await sink.up()
      await load.progress(1_000)
    }
    await load.finish()

    const verdict = await path.verdict()
    const more = { 'least free, KiB': Math.round(leastFree / 1024) }
    report({ name: 'F7 disk, min_free', ledger, documents: sink.documents, verdict, more })
    expect(verdict).toEqual(KEPT)
    expect(leastFree).toBeGreaterThan(2 ** 20)
    const { received, accounted } = await conservation(path)
    expect(accounted).toBe(received)
  })

  it('with the buffer in a folder: is refused by when somebody else fills it, and used again', async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using disk = await mountSmallDisk(MEGABYTES)
    const connector = { min_free: '0', segment_size: '1MiB' }
    await using path = await startDiskPath({ directory: join(disk.path, 'buffer'), connector })
    const { ledger, sink, gateway } = path
    await using load = path.load()

    for (let round = 0; round < ROUNDS; round++) {
      await sink.down()
      await load.progress(300)
      disk.fill()
      // By the look for free space, or by the first write where that comes before it.
      await refusedFor(gateway, 'disk_full', 'disk')
      disk.clear()
      await sink.up()
      await load.progress(300)
    }
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F7 disk, ENOSPC', ledger, documents: sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
    const { received, settled } = await conservation(path)
    expect(settled).toBe(received)
  })

  it("with Redis' file on it: refuses while Redis answers MISCONF, and goes on when there is room", async ({
    task,
  }) => {
    const report = stopwatch(task)
    await using disk = await mountSmallDisk(MEGABYTES)
    await using redis = await startRedis({ dir: join(disk.path, 'redis') })
    await using path = await startRedisPath({ redis })
    const { ledger, sink, gateway } = path
    await sink.down()
    await using load = path.load(HEAVY)

    await refusedFor(gateway, 'misconf')
    disk.resize(512)
    await load.progress(1_000)
    await sink.up()
    await load.progress(1_000)
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F7 redis, MISCONF', ledger, documents: sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
    const { received, accounted } = await conservation(path)
    expect(accounted).toBe(received)
  })
})

/** Resolves when more is refused for one of these reasons than before, by a gateway that lives. */
async function refusedFor(
  gateway: Awaited<ReturnType<typeof startDiskPath>>['gateway'],
  ...reasons: readonly string[]
): Promise<void> {
  const count = async (): Promise<number> => {
    const metrics = await gateway.metrics()
    return reasons.reduce(
      (sum, reason) => sum + metrics.sum('sluice_buffer_refused_log_records_total', { reason }),
      0,
    )
  }
  const before = await count()
  await eventually(`records are refused: ${reasons.join(' or ')}`, async () => (await count()) > before)
}
