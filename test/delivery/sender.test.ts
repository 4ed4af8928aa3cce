import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Exporter, PermanentError, RetryableError } from '../../src/component.ts'
import type { DeliverySettings } from '../../src/delivery/config.ts'
import { Sender } from '../../src/delivery/sender.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { never, testContext } from '../support/component.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

const SETTINGS: DeliverySettings = {
  timeout: 1000,
  retry_on_failure: { initial_interval: 100, max_interval: 1000 },
  sending_queue: { num_consumers: 1, batch: { flush_timeout: 1, max_size: 1e6 } },
}

const bodies = (batch: LogBatch): unknown[] => documentsOf(batch).map((document) => document.body?.text)
const batch = () => batchOf(['a', 'b', 'c', 'd'].map((body) => ({ body: text(body) })))

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
    const hurried = new Sender(
      hangs,
      { ...SETTINGS, timeout: 20 },
      pino({ level: 'silent' }),
      testContext().metrics,
    )

    await expect(hurried.sendOnce(batch(), never)).rejects.toMatchObject({
      name: 'RetryableError',
      reason: 'timeout',
    })
  })
})
