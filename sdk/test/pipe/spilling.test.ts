import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../test/servers/at-exit.ts'
import { freePort } from '../../../test/servers/ports.ts'
import { readSegment, saltOf } from '../../src/spill/format.ts'
import { type Collector, startHttpCollector } from './kit/collector.ts'
import { destination, lostBy, type QuickOptions, spill, startPipe, type TestPipe } from './kit/options.ts'
import { log, range, seqsOf } from './kit/records.ts'

const NEVER = 2 ** 30
const ERROR = 17

describe('a pipe with a spill', () => {
  let folder: TemporaryFolder
  let collector: Collector

  beforeEach(async () => {
    folder = await temporaryFolder('pipe')
    collector = await startHttpCollector()
  })

  afterEach(async () => {
    await collector[Symbol.asyncDispose]()
    await folder.remove()
  })

  const start = (options: Partial<QuickOptions> = {}): TestPipe =>
    startPipe({
      destination: destination(collector.url),
      spill: spill(folder.path),
      ...options,
      queue: { overflow: 'spill', ...options.queue },
      batch: { maxRecords: 10, ...options.batch },
    })

  const files = (): string[] =>
    readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.seg'))

  /** The records that another process would find. */
  const onDisk = (): number[] =>
    files()
      .toSorted()
      .flatMap(
        (name) => readSegment(readFileSync(join(folder.path, name)), saltOf(basename(name)) ?? '').batches,
      )
      .flatMap(({ bytes }) => seqsOf(bytes))

  const sorted = (seqs: readonly number[]): number[] => seqs.toSorted((a, b) => a - b)

  it('leaves records to the disk while the collector is away, and sends them in order when it is back', async () => {
    collector.answer({ http: 503 })
    await using pipe = start({ queue: { maxBytes: 50_000 } })
    for (let first = 0; first < 2000; first += 100) {
      log(pipe, first, 100)
      await pipe.flush(50)
      await eventually('there is room', async () => pipe.waiting.records < 300)
    }
    await eventually('all is on disk', async () => pipe.waiting.records === 0)
    expect(sorted(onDisk())).toEqual(range(0, 2000))

    const before = collector.requests.length
    collector.answer({})
    await collector.taken(2000)
    await eventually('the disk is empty', async () => files().length === 0)

    expect(sorted(collector.seqs)).toEqual(range(0, 2000))
    const replayed = collector.requests.slice(before).map((request) => seqsOf(request)[0])
    expect(replayed.filter((seq) => seq >= 100)).toEqual(sorted(replayed.filter((seq) => seq >= 100)))
    expect(pipe.counters).toMatchObject({ accepted: 2000, sent: 2000, spilled: 2000, replayed: 2000 })
    expect(lostBy(pipe)).toBe(0)
  })

  it('sends what comes while it catches up', async () => {
    collector.answer({ http: 503 })
    await using pipe = start()
    log(pipe, 0, 500)
    await eventually('all is on disk', async () => pipe.counters.spilled === 500)

    collector.answer({})
    await eventually('the collector is back', async () => pipe.counters.replayed > 0)
    log(pipe, 500, 500)
    expect(await pipe.flush()).toBe(true)
    await collector.taken(1000)

    expect(sorted(collector.seqs)).toEqual(range(0, 1000))
    expect(pipe.counters).toMatchObject({ sent: 1000, spilled: 500, replayed: 500 })
  })

  it('leaves what is over half the memory to the disk', async () => {
    collector.answer({ silent: true })
    await using pipe = start({ queue: { maxBytes: 40_000 } })

    for (let first = 0; first < 1000; first += 50) {
      log(pipe, first, 50)
      await eventually('there is room', async () => pipe.waiting.records < 500)
    }

    expect(lostBy(pipe)).toBe(0)
    expect(pipe.counters.spilled).toBeGreaterThan(500)
  })

  it('gives what is left to the next process, with the same bytes', async () => {
    collector.answer({ cut: true, http: 200 })
    const first = start({ batch: { maxRecords: 10, delayMillis: NEVER } })
    log(first, 0, 95)
    await collector.received(8)
    expect(await first.shutdown(100)).toBe(true)
    expect(first.counters).toMatchObject({ accepted: 95, sent: 0, spilled: 95 })
    expect(lostBy(first)).toBe(0)
    const sent = new Map(collector.requests.map((request) => [seqsOf(request)[0], request]))
    expect(sent.size).toBeGreaterThan(0)

    const before = collector.requests.length
    collector.answer({})
    await using second = start()
    await eventually('the disk is empty', async () => second.counters.replayed === 95)

    // The collector had taken some of them, and is sent no other request of their records.
    for (const request of collector.requests.slice(before)) {
      const [first] = seqsOf(request)
      if (sent.has(first)) expect(request).toEqual(sent.get(first))
    }
    expect(sorted(collector.seqs)).toEqual(range(0, 95))
    expect(second.counters).toMatchObject({ accepted: 0, sent: 95, replayed: 95 })
    await eventually('the files are gone', async () => files().length === 0)
  })

  it('sends what is on disk too before it ends, as long as the collector takes it', async () => {
    collector.answer({ http: 503 })
    const pipe = start()
    log(pipe, 0, 300)
    await eventually('all is on disk', async () => pipe.counters.spilled === 300)

    collector.answer({})
    expect(await pipe.shutdown()).toBe(true)

    expect(sorted(collector.seqs)).toEqual(range(0, 300))
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('does not wait for a collector that is away when it ends', async () => {
    collector.answer({ http: 503 })
    const pipe = start()
    log(pipe, 0, 300)
    await eventually('all is on disk', async () => pipe.counters.spilled === 300)
    const begun = performance.now()

    expect(await pipe.shutdown(60_000)).toBe(true)

    expect(performance.now() - begun).toBeLessThan(5000)
    expect(sorted(onDisk())).toEqual(range(0, 300))
  })

  it('leaves a batch to the disk whose time is over', async () => {
    collector.answer({ http: 503 })
    await using pipe = start({ queue: { overflow: 'drop' }, retry: { budgetMillis: 50 } })
    log(pipe, 0, 30)

    expect(await pipe.flush()).toBe(true)
    expect(sorted(onDisk())).toEqual(range(0, 30))
    collector.answer({})
    await collector.taken(30)

    expect(lostBy(pipe)).toBe(0)
  })

  describe('and a window', () => {
    it('has on disk what was not acknowledged for so long', async () => {
      collector.answer({ silent: true })
      await using pipe = start({ spill: spill(folder.path, { windowMillis: 300 }) })
      log(pipe, 0, 95)
      const begun = performance.now()

      await eventually('all is on disk', async () => onDisk().length === 95, 5000)

      expect(performance.now() - begun).toBeLessThan(2000)
      expect(pipe.counters.spilled).toBeLessThanOrEqual(55)
    })

    it('writes nothing that is acknowledged in time', async () => {
      await using pipe = start({ spill: spill(folder.path, { windowMillis: 5000 }) })
      for (let first = 0; first < 500; first += 10) {
        log(pipe, first, 10)
        await pipe.flush()
      }

      expect(files()).toEqual([])
    })

    it('sends what waits for a batch to fill in time to be acknowledged', async () => {
      await using pipe = start({
        spill: spill(folder.path, { windowMillis: 4000 }),
        batch: { maxRecords: 1000, delayMillis: NEVER },
      })
      for (let seq = 0; seq < 50; seq++) {
        log(pipe, seq, 1)
        await delay(20)
        expect(files()).toEqual([])
      }

      await collector.taken(50)
      expect(collector.requests.length).toBeLessThan(25)
    })

    it('of 0 has each batch on disk before it is sent', async () => {
      const found: number[][] = []
      const answer = collector.answer.bind(collector)
      answer({ silent: true })
      await using pipe = start({ spill: spill(folder.path, { windowMillis: 0 }) })
      log(pipe, 0, 20)
      await collector.received(2)
      found.push(sorted(onDisk()))

      expect(found).toEqual([range(0, 20)])
    })

    it('sends nothing twice when all goes well', async () => {
      await using pipe = start({ spill: spill(folder.path, { windowMillis: 0 }) })
      for (let first = 0; first < 500; first += 50) {
        log(pipe, first, 50)
        await pipe.flush()
      }
      expect(await pipe.shutdown()).toBe(true)

      expect(collector.requests.flatMap((request) => seqsOf(request)).length).toBe(500)
      expect(pipe.counters.sent).toBe(500)
      expect(files()).toEqual([])
    })

    it('of 0 lets the disk have what the collector is too slow for', async () => {
      collector.answer({ silent: true })
      await using pipe = start({
        spill: spill(folder.path, { windowMillis: 0 }),
        queue: { overflow: 'drop' },
      })
      log(pipe, 0, 200)

      await eventually('all is on disk', async () => onDisk().length === 200, 5000)

      expect(pipe.waiting.records).toBeLessThanOrEqual(40)
    })
  })

  describe('that is full', () => {
    it('drops the least severe of what the memory cannot hold', async () => {
      collector.answer({ http: 503 })
      await using pipe = start({
        queue: { maxBytes: 20_000 },
        spill: spill(folder.path, { maxBytes: 5000 }),
        retry: { budgetMillis: NEVER },
      })
      for (let first = 0; first < 500; first += 50) {
        log(pipe, first, 50, { body: 'x'.repeat(100) })
        await pipe.flush(20)
      }
      expect(log(pipe, 1000, 50, { severity: ERROR })).toBe(50)

      expect(pipe.counters.dropped.queue_full).toBeGreaterThan(100)
      collector.answer({})
      await eventually('all is settled', async () => pipe.counters.sent + lostBy(pipe) === 550)

      expect(sorted(collector.seqs).filter((seq) => seq >= 1000)).toEqual(range(1000, 50))
      expect(lostBy(pipe)).toBe(pipe.counters.dropped.queue_full)
    })

    it('counts what it has no room for when the pipe ends', async () => {
      collector.answer({ silent: true })
      const pipe = start({ spill: spill(folder.path, { maxBytes: 5000 }) })
      log(pipe, 0, 200)

      expect(await pipe.shutdown(50)).toBe(false)

      const stored = onDisk().length
      expect(stored).toBeGreaterThan(0)
      expect(pipe.counters).toMatchObject({ spilled: stored, dropped: { spill_full: 200 - stored } })
    })
  })

  it('counts what the collector refuses from the disk', async () => {
    collector.answer({ http: 503 })
    await using pipe = start()
    log(pipe, 0, 30)
    await eventually('all is on disk', async () => pipe.counters.spilled === 30)

    collector.answer({ http: 400 }, { rejected: 3 }, {})
    await eventually('all is settled', async () => pipe.counters.sent + lostBy(pipe) === 30)

    expect(pipe.counters).toMatchObject({
      sent: 17,
      replayed: 17,
      dropped: { refused: 10, partial_success_rejected: 3 },
    })
  })

  it('counts what is damaged on disk', async () => {
    const first = start()
    collector.answer({ silent: true })
    log(first, 0, 30)
    await first.shutdown(0)
    const path = join(folder.path, files()[0])
    const bytes = readFileSync(path)
    bytes[bytes.length - 10] ^= 1
    writeFileSync(path, bytes)

    collector.answer({})
    await using second = start()
    await collector.taken(20)

    expect(second.counters).toMatchObject({ sent: 20, dropped: { spill_corrupt: 10 } })
    expect(second.lines).toEqual([
      expect.stringMatching(/bytes on disk cannot be read; 10 log records are known to be lost/),
    ])
  })

  it('does without where there can be none, and says so', async () => {
    writeFileSync(join(folder.path, 'file'), '')
    await using pipe = start({ spill: spill(join(folder.path, 'file')) })
    log(pipe, 0, 30)

    expect(await pipe.flush()).toBe(true)

    expect(sorted(collector.seqs)).toEqual(range(0, 30))
    expect(pipe.lines).toEqual([expect.stringMatching(/^spill: logs cannot be kept in .*ENOTDIR/)])
  })

  it('knows a collector that is not there at all as away', async () => {
    const port = await freePort()
    await using pipe = start({ destination: destination(`http://127.0.0.1:${port}/v1/logs`) })
    log(pipe, 0, 500)
    await eventually('all is on disk', async () => pipe.counters.spilled === 500)

    await using late = await startHttpCollector({ port })
    await late.taken(500)

    expect(sorted(late.seqs)).toEqual(range(0, 500))
  })
})
