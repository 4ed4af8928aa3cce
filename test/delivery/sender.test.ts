import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Exporter, PermanentError, RetryableError } from '../../src/component.ts'
import { Sender } from '../../src/delivery/sender.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'
import { deliverySettings } from './settings.ts'

const bodies = (batch: LogBatch): unknown[] => documentsOf(batch).map((document) => document.body?.text)
const batch = () => batchOf(['a', 'b', 'c', 'd'].map((body) => ({ body: text(body) })))

/** As many at once as a test sends. */
const SETTINGS = deliverySettings({ sending_queue: { adaptive_concurrency: { initial_limit: 4 } } })

type Attempt = (batch: LogBatch, signal: AbortSignal) => Promise<void> | void

/** A sender whose exporter answers as told, attempt by attempt, and takes everything after that. */
function senderOf(...attempts: Attempt[]) {
  const seen: unknown[][] = []
  const exporter: Exporter = {
    async export(given, signal) {
      seen.push(bodies(given))
      await attempts.shift()?.(given, signal)
    },
  }
  const context = testContext()
  const buried: { bodies: unknown[]; reason: string }[] = []
  const bury = async (letters: LogBatch, reason: string): Promise<void> => {
    buried.push({ bodies: bodies(letters), reason })
  }
  const sender = new Sender(exporter, SETTINGS, pino({ level: 'silent' }), context.metrics)
  return { sender, seen, bury, buried, context }
}

const fail = (error: unknown) => (): never => {
  throw error
}

describe('sending a buffered batch', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  async function send(of: ReturnType<typeof senderOf>, signal = never): Promise<void> {
    const sending = of.sender.send(batch(), of.bury, signal)
    sending.catch(() => {})
    await vi.runAllTimersAsync()
    await sending
  }

  it('sends all again after an outage, as often as it takes', async () => {
    const outage = fail(new RetryableError('down'))
    const of = senderOf(outage, outage, outage)

    await send(of)

    expect(of.seen).toEqual(Array.from({ length: 4 }, () => ['a', 'b', 'c', 'd']))
    expect(await of.context.value('otelcol_exporter_sent_log_records')).toBe(4)
    expect(await of.context.value('otelcol_exporter_send_failed_log_records')).toBe(12)
  })

  it('sends only what remains, and buries what was refused', async () => {
    const partly = new RetryableError('busy', {
      remaining: [1],
      rejected: [{ records: [3], reason: '400 bad' }],
    })
    const of = senderOf(fail(partly))

    await send(of)

    expect(of.seen).toEqual([['a', 'b', 'c', 'd'], ['b']])
    expect(of.buried).toEqual([{ bodies: ['d'], reason: '400 bad' }])
    expect(await of.context.value('otelcol_exporter_sent_log_records')).toBe(3)
  })

  it('buries each group of refused records under its reason', async () => {
    const refusal = new PermanentError('refused', {
      rejected: [
        { records: [0, 2], reason: 'first' },
        { records: [3], reason: 'second' },
      ],
    })
    const of = senderOf(fail(refusal))

    await send(of)

    expect(of.buried).toEqual([
      { bodies: ['a', 'c'], reason: 'first' },
      { bodies: ['d'], reason: 'second' },
    ])
    expect(await of.context.value('otelcol_exporter_sent_log_records')).toBe(1)
  })

  it('buries all when the whole batch is refused', async () => {
    const of = senderOf(fail(new PermanentError('not for us')))

    await send(of)

    expect(of.buried).toEqual([{ bodies: ['a', 'b', 'c', 'd'], reason: 'not for us' }])
  })

  it('tries again after an error that nobody expected', async () => {
    const of = senderOf(fail(new TypeError('a bug')))

    await send(of)

    expect(of.seen).toHaveLength(2)
    expect(of.buried).toEqual([])
  })

  it('waits at least as long as the destination asked', async () => {
    const of = senderOf(fail(new RetryableError('busy', { retryAfter: 5000 })))
    const sending = of.sender.send(batch(), of.bury, never)

    await vi.advanceTimersByTimeAsync(4900)
    expect(of.seen).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200 + 5000 / 4)
    await sending
    expect(of.seen).toHaveLength(2)
  })

  it('does not come back at the same moment as everybody else who was asked to wait', async () => {
    const all = Promise.all(
      Array.from({ length: 20 }, async () => {
        const of = senderOf(fail(new RetryableError('busy', { retryAfter: 5000 })))
        const started = performance.now()
        await of.sender.send(batch(), of.bury, never)
        return performance.now() - started
      }),
    )
    await vi.runAllTimersAsync()
    const returns = await all
    expect(Math.max(...returns) - Math.min(...returns)).toBeGreaterThan(500)
  })

  it('does not wait for days, nor not at all, when the destination asks for that', async () => {
    for (const retryAfter of [1e9, 1e300, Number.POSITIVE_INFINITY]) {
      const of = senderOf(fail(new RetryableError('busy', { retryAfter })))
      const sending = of.sender.send(batch(), of.bury, never)

      await vi.advanceTimersByTimeAsync(5 * 60_000 - 1)
      expect(of.seen).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(5 * 60_000)
      await sending
      expect(of.seen).toHaveLength(2)
    }
  })

  it('waits longer and longer when every single record is to be sent again', async () => {
    const busy = fail(new RetryableError('busy', { remaining: [0, 1, 2, 3] }))
    const of = senderOf(...Array.from({ length: 50 }, () => busy))
    const sending = of.sender.send(batch(), of.bury, never)

    await vi.advanceTimersByTimeAsync(1)
    expect(of.seen).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(4 * 1000)
    expect(of.seen.length).toBeLessThanOrEqual(1 + 5 + 4 * 2)
    await vi.runAllTimersAsync()
    await sending
    expect(of.seen).toHaveLength(51)
  })

  it('sends a single probe to a destination that is down while other batches wait', async () => {
    const outage = fail(new RetryableError('down'))
    const of = senderOf(outage, outage, outage)
    const all = Promise.all([1, 2, 3].map(() => of.sender.send(batch(), of.bury, never)))

    await vi.advanceTimersByTimeAsync(1)
    expect(of.seen).toHaveLength(3)
    expect(await of.context.value('sluice_exporter_circuit_open')).toBe(1)
    await vi.advanceTimersByTimeAsync(2000)
    await all
    expect(of.seen).toHaveLength(6)
    expect(await of.context.value('sluice_exporter_circuit_open')).toBe(0)
  })

  it('keeps what an attempt had settled when its time ran out', async () => {
    const late: Attempt = (_, signal) =>
      new Promise((_resolve, reject) => {
        const error = new RetryableError('aborted', {
          remaining: [1],
          rejected: [{ records: [3], reason: '400 bad' }],
        })
        signal.addEventListener('abort', () => reject(error))
      })
    const of = senderOf(late)
    vi.useRealTimers()

    await of.sender.send(batch(), of.bury, never)

    expect(of.seen).toEqual([['a', 'b', 'c', 'd'], ['b']])
    expect(of.buried).toEqual([{ bodies: ['d'], reason: '400 bad' }])
  })

  it('tries what had no room again later, and leaves the destination to the other batches meanwhile', async () => {
    const of = senderOf(fail(new RetryableError('busy', { reason: 'status_429' })))
    const first = of.sender.send(batch(), of.bury, never)
    await vi.advanceTimersByTimeAsync(1)
    await of.sender.send(batch(), of.bury, never)

    expect(of.seen).toHaveLength(2)
    expect(await of.context.value('sluice_exporter_circuit_open')).toBe(0)
    await vi.advanceTimersByTimeAsync(48)
    expect(of.seen).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(52)
    await first
    expect(of.seen).toHaveLength(3)
  })

  it('leaves a destination alone that has no room and says for how long', async () => {
    const of = senderOf(fail(new RetryableError('busy', { reason: 'status_429', retryAfter: 5000 })))
    const all = [of.sender.send(batch(), of.bury, never)]
    await vi.advanceTimersByTimeAsync(1)
    all.push(of.sender.send(batch(), of.bury, never))

    await vi.advanceTimersByTimeAsync(4900)
    expect(of.seen).toHaveLength(1)
    // A quarter more is left to chance.
    await vi.advanceTimersByTimeAsync(1400)
    await Promise.all(all)
    expect(of.seen).toHaveLength(3)
  })

  it('waits longer and longer for records that the destination has no room for, up to the longest wait', async () => {
    const noRoom = (given: LogBatch): never => {
      throw new RetryableError('busy', { reason: 'too_many', remaining: given.indices() })
    }
    const of = senderOf(...Array.from({ length: 1000 }, () => noRoom))
    const stop = new AbortController()
    const sending = of.sender.send(batch(), of.bury, stop.signal)
    sending.catch(() => {})

    const attemptsIn = async (ms: number): Promise<number> => {
      const before = of.seen.length
      await vi.advanceTimersByTimeAsync(ms)
      return of.seen.length - before
    }
    expect(await attemptsIn(10_000)).toBeLessThanOrEqual(5 + 18)
    const settled = await attemptsIn(10_000)
    stop.abort(new Error('stopping'))

    expect(settled).toBeGreaterThanOrEqual(10)
    expect(settled).toBeLessThanOrEqual(20)
    await expect(sending).rejects.toThrow('stopping')
  })

  it('waits shortly again once most of a batch is delivered', async () => {
    const noRoom = (given: LogBatch): never => {
      throw new RetryableError('busy', { reason: 'too_many', remaining: given.indices() })
    }
    const half = (given: LogBatch): never => {
      throw new RetryableError('busy', { reason: 'too_many', remaining: given.indices().slice(2) })
    }
    const of = senderOf(noRoom, noRoom, noRoom, noRoom, half)
    const sending = of.sender.send(batch(), of.bury, never)
    while (of.seen.length < 5) await vi.advanceTimersByTimeAsync(10)

    await vi.advanceTimersByTimeAsync(101)
    await sending

    expect(of.seen.at(-1)).toEqual(['c', 'd'])
  })

  it('has no more attempts under way than the limit, and cuts it when records are refused', async () => {
    const release = Promise.withResolvers<void>()
    let underWay = 0
    let most = 0
    const slow = async (): Promise<void> => {
      most = Math.max(most, ++underWay)
      await release.promise
      underWay--
    }
    const partly = (): never => {
      throw new RetryableError('busy', { reason: 'too_many', remaining: [0, 1] })
    }
    const of = senderOf(partly, ...Array.from({ length: 20 }, () => slow))
    const first = of.sender.send(batch(), of.bury, never)
    await vi.advanceTimersByTimeAsync(1)
    expect(await of.context.value('sluice_exporter_concurrency_limit')).toBe(3)
    const all = Array.from({ length: 10 }, () => of.sender.send(batch(), of.bury, never))

    await vi.advanceTimersByTimeAsync(500)
    expect(most).toBe(3)
    // The retry waits for its turn as the others do.
    expect(await of.context.value('sluice_exporter_waiting_requests')).toBe(8)
    release.resolve()
    await Promise.all([first, ...all])

    expect(await of.context.value('sluice_exporter_concurrency_cuts_total', { reason: 'too_many' })).toBe(1)
    expect(await of.context.value('sluice_exporter_waiting_requests')).toBe(0)
    expect(await of.context.value('otelcol_exporter_sent_log_records')).toBe(44)
  })

  it('asks with one request after an outage, then with more as they are answered', async () => {
    const pending: (() => void)[] = []
    const slow = (): Promise<void> => new Promise((resolve) => pending.push(resolve))
    const of = senderOf(fail(new RetryableError('down')), ...Array.from({ length: 20 }, () => slow))
    const all = [of.sender.send(batch(), of.bury, never)]
    await vi.advanceTimersByTimeAsync(1)
    for (let i = 0; i < 9; i++) all.push(of.sender.send(batch(), of.bury, never))
    await vi.advanceTimersByTimeAsync(1000)

    const underWay: number[] = []
    while (pending.length > 0) {
      underWay.push(pending.length)
      for (const answer of pending.splice(0)) answer()
      await vi.advanceTimersByTimeAsync(1)
    }
    await Promise.all(all)

    expect(underWay).toEqual([1, 2, 4, 3])
  })

  it('holds back what waited for the limit when the destination goes down meanwhile', async () => {
    const fallen = Promise.withResolvers<void>()
    const falls = async (): Promise<never> => {
      await fallen.promise
      throw new RetryableError('down')
    }
    const of = senderOf(falls, falls, falls, falls)
    const all = Array.from({ length: 8 }, () => of.sender.send(batch(), of.bury, never))
    await vi.advanceTimersByTimeAsync(1)

    fallen.resolve()
    await vi.advanceTimersByTimeAsync(49)
    expect(of.seen).toHaveLength(4)

    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(of.seen).toHaveLength(12)
  })

  it('keeps the buffer and asks seldom while it lacks the right to write, and says so', async () => {
    const denied = fail(new RetryableError('answered 403', { reason: 'unauthorized' }))
    const of = senderOf(...Array.from({ length: 40 }, () => denied))
    const stop = new AbortController()
    const all = Array.from({ length: 4 }, () => of.sender.send(batch(), of.bury, stop.signal))
    for (const each of all) each.catch(() => {})
    await vi.advanceTimersByTimeAsync(2000)
    const before = of.seen.length

    await vi.advanceTimersByTimeAsync(10_000)
    const probes = of.seen.length - before
    expect(await of.context.value('sluice_exporter_circuit_open')).toBe(1)
    stop.abort(new Error('stopping'))

    expect(probes).toBeGreaterThanOrEqual(9)
    expect(probes).toBeLessThanOrEqual(20)
    expect(of.buried).toEqual([])
    expect(await of.context.value('sluice_exporter_failed_attempts_total', { reason: 'unauthorized' })).toBe(
      of.seen.length,
    )
    for (const each of all) await expect(each).rejects.toThrow('stopping')
  })

  it('rejects when it is told to stop, with the batch undelivered', async () => {
    const stop = new AbortController()
    const of = senderOf(fail(new RetryableError('down')))
    const sending = of.sender.send(batch(), of.bury, stop.signal)
    sending.catch(() => {})

    await vi.advanceTimersByTimeAsync(1)
    stop.abort(new Error('stopping'))

    await expect(sending).rejects.toThrow('stopping')
    expect(await of.context.value('otelcol_exporter_sent_log_records')).toBe(0)
  })
})

describe('sending once, without a buffer', () => {
  it('leaves the decision about a failure to the one who holds the batch', async () => {
    const of = senderOf(fail(new RetryableError('down')))

    await expect(of.sender.sendOnce(batch(), never)).rejects.toThrow('down')

    expect(of.seen).toHaveLength(1)
    expect(await of.context.value('otelcol_exporter_send_failed_log_records')).toBe(4)
  })

  it('gives an attempt up after the timeout', async () => {
    const hangs: Exporter = {
      export: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late')))),
    }
    const settings = deliverySettings({ timeout: '20ms' })
    const hurried = new Sender(hangs, settings, pino({ level: 'silent' }), testContext().metrics)

    await expect(hurried.sendOnce(batch(), never)).rejects.toMatchObject({
      name: 'RetryableError',
      reason: 'timeout',
    })
  })
})
