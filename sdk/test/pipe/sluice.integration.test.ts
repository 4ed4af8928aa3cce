import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { type DiskPath, startDiskPath } from '../../../test/faults/kit/path.ts'
import { generator } from '../../../test/faults/kit/random.ts'
import type { Sink } from '../../../test/faults/kit/sink.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../test/servers/at-exit.ts'
import type { Destination } from '../../src/transport/destination.ts'
import type { AppOptions } from './fixtures/app.ts'
import { type App, startApp } from './kit/app.ts'
import { startCuttingProxy } from './kit/cutting-proxy.ts'
import { destination, spill, startPipe, type TestPipe } from './kit/options.ts'
import { log, range } from './kit/records.ts'

const ROUNDS = 3
const CUTS = 30
const RATE = 2000
/** Milliseconds that `kill -9` may cost. */
const WINDOW = 400
/** Longer than the drain takes to deliver a second copy that is on its way. */
const QUIET = 1500

type Protocol = Destination['protocol']

describe('a real Sluice', () => {
  let path: DiskPath<Sink>
  let folder: TemporaryFolder

  beforeEach(async () => {
    path = await startDiskPath()
    folder = await temporaryFolder('sdk')
  })

  afterEach(async () => {
    await path[Symbol.asyncDispose]()
    await folder.remove()
  })

  const to = (protocol: Protocol, port = protocol === 'grpc' ? path.grpc : path.http): Destination =>
    destination(`http://127.0.0.1:${port}${protocol === 'grpc' ? '' : '/v1/logs'}`, {
      protocol,
      compression: 'gzip',
    })

  const batch = { maxRecords: 100 }

  /** Logs at a steady pace until `work` is over; returns how many were logged. */
  const logDuring = async (pipe: TestPipe, work: () => Promise<void>): Promise<number> => {
    const begun = performance.now()
    let next = 0
    let over = false
    const working = work().finally(() => {
      over = true
    })
    while (!over) {
      const due = Math.floor(((performance.now() - begun) * RATE) / 1000)
      log(pipe, next, due - next)
      next = due
      await delay(5)
    }
    await working
    return next
  }

  /** Waits for the records that are to come, and then for those that are not. */
  const delivered = async (records: number): Promise<void> => {
    const { documents } = path.sink
    await eventually(`${records} records are delivered`, async () => documents.size >= records)
    await delay(QUIET)
    expect(documents).toMatchObject({ size: records, doubled: [], collided: [] })
  }

  it.each(['grpc', 'http/protobuf'] as const)(
    'that is killed under load again and again gets every record once, over %s',
    async (protocol) => {
      await using pipe = startPipe({ destination: to(protocol), batch, flushTimeoutMillis: 60_000 })

      const logged = await logDuring(pipe, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          await delay(300 + 150 * round)
          await path.gateway.kill()
          await delay(300)
          await path.gateway.restart()
        }
      })

      expect(await pipe.flush()).toBe(true)
      expect(pipe.counters).toMatchObject({ accepted: logged, sent: logged })
      expect(pipe.counters.retried).toBeGreaterThan(0)
      await delivered(logged)
    },
  )

  it.each(['grpc', 'http/protobuf'] as const)(
    'behind a network that is cut at any byte gets every record once, over %s',
    async (protocol) => {
      const { port } = new URL(to(protocol).url)
      await using proxy = await startCuttingProxy(Number(port), generator(7), 40_000)
      await using pipe = startPipe({
        destination: to(protocol, proxy.port),
        batch,
        flushTimeoutMillis: 60_000,
      })

      const logged = await logDuring(pipe, () =>
        eventually('many connections were cut', async () => proxy.cuts >= CUTS),
      )
      proxy.cutting = false

      expect(await pipe.flush()).toBe(true)
      expect(pipe.counters).toMatchObject({ accepted: logged, sent: logged })
      await delivered(logged)
      // Among the answers that were lost were good ones.
      expect(path.sink.documents.repeated).toBeGreaterThan(0)
    },
  )

  describe('and an application with a spill', () => {
    const start = (first: number, overflow: 'drop' | 'spill', more: Partial<AppOptions> = {}): App =>
      startApp({
        records: 1,
        first,
        rate: RATE,
        pipe: {
          destination: to('grpc'),
          batch: { maxRecords: 100, maxBytes: 2 ** 20, delayMillis: 50 },
          queue: { maxBytes: 32 * 2 ** 20, maxRecords: 1e9, overflow },
          spill: spill(folder.path, { windowMillis: WINDOW }),
          flushTimeoutMillis: 500,
        },
        ...more,
      })

    /** Has another process send what is on disk. */
    const empty = async (): Promise<void> => {
      await using _ = startPipe({ destination: to('grpc'), spill: spill(folder.path) })
      const left = () => readdirSync(folder.path, { recursive: true, encoding: 'utf8' })
      await eventually('the disk is empty', async () => !left().some((name) => name.endsWith('.seg')))
      await delay(QUIET)
    }

    it('that is ended by SIGTERM, with and without a gateway, gets every record once', async () => {
      let logged = 0
      for (let round = 0; round < ROUNDS; round++) {
        const app = start(logged, 'spill')
        await app.logged
        await delay(500)
        if (round > 0) await path.gateway.kill()
        await delay(300)
        app.kill('SIGTERM')
        expect(await app.ended).toEqual({ code: null, signal: 'SIGTERM' })
        if (round > 0) await path.gateway.restart()
        // The signal leaves no time to tell: what was logged is what arrives without a gap.
        await empty()
        expect(path.sink.documents.end).toBeGreaterThan(logged)
        logged = path.sink.documents.end
      }
      await delivered(logged)
    })

    it('that is killed with SIGKILL lacks no record that is older than the window', async () => {
      const lost: number[] = []
      let first = 0
      for (let round = 0; round < ROUNDS; round++) {
        const progress = join(folder.path, `progress-${round}`)
        const app = start(first, 'drop', { progress })
        await app.logged
        await delay(600)
        // Nothing is acknowledged any more, and all depends on the disk.
        if (round > 0) await path.gateway.kill()
        await delay(700 + 130 * round)
        const killedAt = Date.now()
        app.kill('SIGKILL')
        await app.ended
        if (round > 0) await path.gateway.restart()
        await empty()

        const lines = readFileSync(progress, 'utf8').trim().split('\n')
        const marks = lines.map((line) => line.split(' ').map(Number) as [number, number])
        const logged = marks.at(-1)?.[0] ?? first
        const safe = marks.findLast(([, time]) => time < killedAt - WINDOW)?.[0] ?? first
        const missing = range(first, logged - first).filter((seq) => !path.sink.documents.has(seq))
        lost.push(missing.length)
        expect(safe).toBeGreaterThan(first + RATE / 2)
        expect(missing.filter((seq) => seq < safe)).toEqual([])
        first = logged
      }

      expect(path.sink.documents).toMatchObject({ doubled: [], collided: [] })
      process.stderr.write(
        `kill -9 lost ${lost.join(', ')} records at ${RATE}/s and a window of ${WINDOW} ms\n`,
      )
    })
  })
})
