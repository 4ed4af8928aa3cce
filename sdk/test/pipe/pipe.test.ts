import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/e2e/sluice.ts'
import { freePort } from '../../../test/servers/ports.ts'
import { type Collector, startGrpcCollector, startHttpCollector } from './kit/collector.ts'
import { destination, lostBy, type QuickOptions, startPipe, type TestPipe } from './kit/options.ts'
import { encodeRecord, INFO, log, range, SCOPE, seqsOf } from './kit/records.ts'

const NEVER = 2 ** 30
const DEBUG = 5
const ERROR = 17

describe('the pipe', () => {
  let collector: Collector

  beforeEach(async () => {
    collector = await startHttpCollector()
  })

  afterEach(() => collector[Symbol.asyncDispose]())

  const start = (options: Partial<QuickOptions> = {}): TestPipe =>
    startPipe({ destination: destination(collector.url), ...options })

  describe('batches', () => {
    it('are sent when they have so many records', async () => {
      await using pipe = start({ batch: { maxRecords: 10, delayMillis: NEVER } })

      log(pipe, 0, 25)
      await collector.taken(20)

      expect(collector.requests.map((request) => seqsOf(request))).toEqual([range(0, 10), range(10, 10)])
      await eventually('the answers were read', async () => pipe.waiting.records === 5)
    })

    it('are sent when they have so many bytes, and are no larger', async () => {
      await using pipe = start({ batch: { maxBytes: 10_000, delayMillis: NEVER } })

      log(pipe, 0, 100, { body: 'x'.repeat(1000) })
      await pipe.flush()

      for (const request of collector.requests) expect(request.length).toBeLessThan(11_000)
      expect(collector.seqs.toSorted((a, b) => a - b)).toEqual(range(0, 100))
    })

    it('are sent when a record has waited for so long', async () => {
      await using pipe = start({ batch: { delayMillis: 30 } })

      log(pipe, 0, 1)
      await collector.taken(1)
      log(pipe, 1, 1)
      await collector.taken(2)

      expect(collector.requests).toHaveLength(2)
    })

    it('go over gRPC as well', async () => {
      await using grpc = await startGrpcCollector()
      await using pipe = start({
        destination: destination(grpc.url, { protocol: 'grpc', compression: 'gzip' }),
      })

      log(pipe, 0, 100)

      expect(await pipe.flush()).toBe(true)
      expect(grpc.seqs).toEqual(range(0, 100))
      expect(pipe.counters).toMatchObject({ accepted: 100, sent: 100 })
    })

    it('hold what a record was when it was accepted', async () => {
      await using pipe = start()
      const scratch = Buffer.alloc(100)
      const bytes = encodeRecord(7)
      scratch.set(bytes, 10)

      pipe.accept(SCOPE, INFO, scratch, 10, 10 + bytes.length)
      scratch.fill(0xff)
      await pipe.flush()

      expect(collector.seqs).toEqual([7])
    })
  })

  describe('flush', () => {
    it('resolves for all who wait once their records were taken', async () => {
      await using pipe = start({ batch: { delayMillis: NEVER } })
      log(pipe, 0, 10)
      const first = pipe.flush()
      log(pipe, 10, 10)
      const second = pipe.flush()
      const third = pipe.flush()

      expect(await first).toBe(true)
      expect(collector.seqs).toEqual(expect.arrayContaining(range(0, 10)))
      expect(await Promise.all([second, third])).toEqual([true, true])
      expect(collector.seqs).toEqual(range(0, 20))
    })

    it('resolves at once when there is nothing', async () => {
      await using pipe = start()

      expect(await pipe.flush()).toBe(true)
    })

    it('resolves with false when time is up', async () => {
      collector.answer({ silent: true })
      await using pipe = start()
      log(pipe, 0, 1)

      expect(await pipe.flush(50)).toBe(false)
    })

    it('does not wait for records that come after it', async () => {
      await using pipe = start({ batch: { maxRecords: 5, delayMillis: NEVER } })
      log(pipe, 0, 5)
      const flushed = pipe.flush()
      collector.answer({}, { silent: true })
      log(pipe, 5, 5)

      expect(await flushed).toBe(true)
    })

    it('tries at once what waits for its next attempt', async () => {
      collector.answer({ http: 503 }, {})
      await using pipe = start({
        retry: { initialMillis: NEVER, maxMillis: NEVER, budgetMillis: 10 * NEVER },
      })
      log(pipe, 0, 1)
      await collector.received(1)
      await eventually('the answer was read', async () => {
        void pipe.flush(100)
        return pipe.counters.sent === 1
      })

      expect(pipe.counters.retried).toBe(1)
    })

    it('does not press a collector that asked for time', async () => {
      collector.answer({ http: 503, retryMs: 60_000 }, {})
      await using pipe = start({ retry: { budgetMillis: NEVER } })
      log(pipe, 0, 1)
      await collector.received(1)

      expect(await pipe.flush(300)).toBe(false)
      expect(collector.requests).toHaveLength(1)
    })
  })

  describe('shutdown', () => {
    it('sends what is left, and takes nothing more', async () => {
      await using pipe = start({ batch: { delayMillis: NEVER } })
      log(pipe, 0, 10)

      const ends = await Promise.all([pipe.shutdown(), pipe.shutdown()])

      expect(ends).toEqual([true, true])
      expect(collector.seqs).toEqual(range(0, 10))
      expect(log(pipe, 10, 1)).toBe(0)
      expect(pipe.counters.dropped.shutdown).toBe(1)
    })

    it('counts what it could not send in time', async () => {
      collector.answer({ silent: true })
      await using pipe = start({ batch: { maxRecords: 2, delayMillis: NEVER } })
      log(pipe, 0, 15)

      expect(await pipe.shutdown(100)).toBe(false)

      expect(pipe.counters).toMatchObject({ accepted: 15, sent: 0, dropped: { shutdown: 15 } })
      expect(pipe.waiting.records).toBe(0)
      expect(pipe.drops).toEqual([
        expect.objectContaining({ reason: 'shutdown', severity: INFO, records: 15 }),
      ])
      expect(pipe.lines).toEqual([expect.stringContaining('15 log records were lost (15 shutdown)')])
    })
  })

  describe('a collector that does not take a batch', () => {
    it('gets the same bytes again', async () => {
      collector.answer({ http: 503 }, { cut: true }, { http: 429 }, {})
      await using pipe = start()
      log(pipe, 0, 10)

      expect(await pipe.flush()).toBe(true)

      expect(collector.requests).toHaveLength(4)
      for (const request of collector.requests) expect(request).toEqual(collector.requests[0])
      expect(pipe.counters).toMatchObject({ sent: 10, retried: 3 })
      expect(lostBy(pipe)).toBe(0)
    })

    it('is left alone for as long as it asks', async () => {
      collector.answer({ http: 503, retryMs: 300 }, {})
      await using pipe = start()
      const begun = performance.now()
      log(pipe, 0, 1)
      await collector.taken(1)

      expect(performance.now() - begun).toBeGreaterThanOrEqual(300)
    })

    it('loses what it refuses for good, which is counted by severity', async () => {
      collector.answer({ http: 400, message: 'bad' })
      await using pipe = start()
      log(pipe, 0, 3)
      log(pipe, 3, 2, { severity: ERROR })

      expect(await pipe.flush()).toBe(true)
      await eventually('onDrop was called', async () => pipe.drops.length === 2)

      expect(collector.requests).toHaveLength(1)
      expect(pipe.counters).toMatchObject({ accepted: 5, sent: 0, dropped: { refused: 5 } })
      expect(pipe.drops).toMatchObject([
        { reason: 'refused', severity: INFO, records: 3 },
        { reason: 'refused', severity: ERROR, records: 2 },
      ])
    })

    it('loses what it rejects of a batch', async () => {
      collector.answer({ rejected: 2, message: 'too old' })
      await using pipe = start()
      log(pipe, 0, 10)

      await pipe.flush()

      expect(collector.requests).toHaveLength(1)
      expect(pipe.counters).toMatchObject({ sent: 8, dropped: { partial_success_rejected: 2 } })
    })

    it('loses a batch whose time is over', async () => {
      collector.answer({ http: 503 })
      await using pipe = start({ retry: { budgetMillis: 100 } })
      log(pipe, 0, 10)

      expect(await pipe.flush()).toBe(true)

      expect(pipe.counters).toMatchObject({ sent: 0, dropped: { retry_budget: 10 } })
      expect(collector.requests.length).toBeGreaterThan(1)
    })

    it('loses a batch at once when it asks for more time than there is', async () => {
      collector.answer({ http: 503, retryMs: 60_000 })
      await using pipe = start({ retry: { budgetMillis: 10_000 } })
      log(pipe, 0, 10)

      expect(await pipe.flush()).toBe(true)

      expect(pipe.counters.dropped.retry_budget).toBe(10)
    })

    it('gets everything once it is back', async () => {
      const port = await freePort()
      await using pipe = start({
        destination: destination(`http://127.0.0.1:${port}/v1/logs`),
        batch: { maxRecords: 10 },
      })
      log(pipe, 0, 200)
      await eventually('attempts failed', async () => pipe.counters.retried > 5)

      await using late = await startHttpCollector({ port })
      log(pipe, 200, 100)

      expect(await pipe.flush()).toBe(true)
      expect(late.seqs.toSorted((a, b) => a - b)).toEqual(range(0, 300))
      expect(pipe.counters).toMatchObject({ accepted: 300, sent: 300 })
    })
  })

  describe('a full queue', () => {
    const SMALL = { maxBytes: 20_000, maxRecords: 1e6 }

    it('drops the least severe first, then the newest, and says so', async () => {
      collector.answer({ silent: true }, { silent: true }, { silent: true }, { silent: true }, {})
      await using pipe = start({
        queue: { ...SMALL, maxRecords: 20 },
        batch: { maxRecords: 100, delayMillis: NEVER },
      })

      log(pipe, 0, 10, { severity: DEBUG })
      log(pipe, 10, 10)
      expect(log(pipe, 20, 4, { severity: ERROR })).toBe(4)
      expect(log(pipe, 24, 10, { severity: INFO })).toBe(6)
      expect(log(pipe, 34, 1, { severity: INFO })).toBe(0)
      await eventually('onDrop was called', async () => pipe.drops.length === 2)

      expect(pipe.counters).toMatchObject({ accepted: 30, dropped: { queue_full: 15 } })
      expect(pipe.drops).toMatchObject([
        { reason: 'queue_full', severity: DEBUG, records: 10 },
        { reason: 'queue_full', severity: INFO, records: 5 },
      ])
    })

    it('counts what is on its way', async () => {
      collector.answer({ silent: true })
      await using pipe = start({ queue: SMALL, batch: { maxRecords: 20, delayMillis: 1 } })

      let accepted = log(pipe, 0, 20, { body: 'x'.repeat(400) })
      await collector.received(1)
      accepted += log(pipe, 20, 100, { body: 'x'.repeat(400) })

      expect(accepted).toBeLessThan(45)
      expect(pipe.waiting.records).toBe(accepted)
      expect(pipe.counters.dropped.queue_full).toBe(120 - accepted)
    })

    it('has no room for a record that is larger than a collector takes', async () => {
      await using pipe = start({ queue: { maxBytes: 1e9 } })

      expect(log(pipe, 0, 1, { body: 'x'.repeat(4 * 2 ** 20) })).toBe(0)
      expect(log(pipe, 1, 1, { body: 'x'.repeat(3 * 2 ** 20) })).toBe(1)
      await pipe.flush()

      expect(collector.seqs).toEqual([1])
      expect(pipe.counters.dropped.too_large).toBe(1)
    })
  })

  it('tells of drops in one line, with what the collector said', async () => {
    collector.answer({ http: 401, message: 'who are you?' })
    await using pipe = start({ destination: destination(collector.url.replace('//', '//me:secret@')) })
    log(pipe, 0, 7)

    await eventually('a line was written', async () => pipe.lines.length > 0)

    expect(pipe.lines).toEqual([
      `pipe: 7 log records were lost (7 refused); ${collector.url} said last: HTTP 401: who are you?`,
    ])
  })

  it('goes on when onDrop throws, and when it logs', async () => {
    collector.answer({ http: 400 }, {})
    let calls = 0
    const onDrop = (): never => {
      calls++
      log(pipe, 100, 1)
      throw new Error('mine')
    }
    await using pipe = start({ onDrop })
    log(pipe, 0, 1)

    await collector.taken(1)

    expect(calls).toBe(1)
    expect(collector.seqs).toEqual([100])
  })

  it('accepts whatever it is given as severity', async () => {
    await using pipe = start()

    for (const severity of [-1, 0, 25, 1e9, Number.NaN, 2.5]) {
      expect(pipe.accept(SCOPE, severity, encodeRecord(1), 0, 10)).toBe(true)
    }
    expect(pipe.waiting.records).toBe(6)
  })
})
