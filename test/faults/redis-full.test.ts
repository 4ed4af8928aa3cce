import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { eventually } from '../e2e/sluice.ts'
import { stopwatch } from './kit/figures.ts'
import type { Issued } from './kit/ledger.ts'
import { KEPT } from './kit/oracle.ts'
import { conservation, type RedisPath, startRedisPath } from './kit/path.ts'
import { textOf } from './kit/payload.ts'
import { scaled, timeLimit } from './kit/scale.ts'
import type { Sink } from './kit/sink.ts'

const BACKLOG = scaled(3_000, 20_000)
const ROUNDS = scaled(2, 10)
const SDK_RECORDS = 2_000
const PLENTY = 2 ** 30

describe('F3: a Redis that is full', { timeout: timeLimit(300, 1800) }, () => {
  it('refuses with a hint when to come back, is drained all the same, and takes again', async ({ task }) => {
    const report = stopwatch(task)
    await using path = await startRedisPath({ drains: 2 })
    const { ledger, sink } = path
    using redis = new MaxMemory(path.redis.url)
    await using load = path.load()

    for (let round = 0; round < ROUNDS; round++) {
      await sink.down()
      await load.progress(BACKLOG)
      await redis.fill()
      await refusals(path)
      await sink.up()
      await eventually('the buffer is drained while Redis is full', async () => (await held(path)) === 0)
      await redis.empty()
      await load.progress(200)
    }
    await load.finish()

    const verdict = await path.verdict()
    const more = Object.fromEntries(ledger.refusals)
    report({ name: 'F3 full', ...path, documents: sink.documents, verdict, more })
    expect(verdict).toEqual(KEPT)
    const { received, accounted } = await conservation(path)
    expect(accounted).toBe(received)
  })

  it('is drained by workers that come when it is full already', async ({ task }) => {
    const report = stopwatch(task)
    await using path = await startRedisPath()
    const [drain] = path.drains
    using redis = new MaxMemory(path.redis.url)
    await drain.kill()
    await using load = path.load()

    await load.progress(BACKLOG)
    await redis.fill()
    await refusals(path)
    await drain.restart()
    await eventually('the buffer is drained while Redis is full', async () => (await held(path)) === 0)
    await redis.empty()
    await load.finish()

    const verdict = await path.verdict()
    report({ name: 'F3 full, no workers', ...path, documents: path.sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
  })

  it('costs a client none of its records that is the OpenTelemetry SDK and retries', async ({ task }) => {
    const report = stopwatch(task)
    await using path = await startRedisPath()
    const { ledger, sink } = path
    using redis = new MaxMemory(path.redis.url)
    await redis.fill()

    const sent = sendWithSdk(path.http, ledger.issue(SDK_RECORDS))
    await eventually('the SDK is refused', async () => {
      const metrics = await path.gateway.metrics()
      return metrics.sum('sluice_buffer_refused_log_records_total') > 0
    })
    await redis.empty()
    // It does not say which records it gave up, so all of them have to be there.
    ledger.acknowledge(await sent)

    const verdict = await path.verdict()
    report({ name: 'F3 SDK', ledger, documents: sink.documents, verdict })
    expect(verdict).toEqual(KEPT)
    expect(sink.documents.size).toBe(SDK_RECORDS)
  })
})

/** Emits the records of a request through the OpenTelemetry SDK, with its defaults but for the size of its queue. */
async function sendWithSdk<R extends Pick<Issued, 'first' | 'count'>>(port: number, request: R): Promise<R> {
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${port}/v1/logs` })
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: request.count })
  const provider = new LoggerProvider({ processors: [processor] })
  const logger = provider.getLogger('faults')
  for (let seq = request.first; seq < request.first + request.count; seq++) {
    const { body, note } = textOf(seq)
    logger.emit({ severityNumber: SeverityNumber.INFO, body, attributes: { seq, note } })
  }
  await provider.forceFlush()
  await provider.shutdown()
  return request
}

const held = async ({ drains }: RedisPath<Sink>): Promise<number> =>
  (await drains[0].metrics()).sum('sluice_buffer_records')

/** Resolves when clients of both protocols were refused and told when to come back. */
async function refusals({ ledger }: RedisPath<Sink>): Promise<void> {
  const hints = ['UNAVAILABLE with RetryInfo', '503 with Retry-After']
  const before = hints.map((hint) => ledger.refusals.get(hint) ?? 0)
  await eventually('clients are told when to come back', async () =>
    hints.every((hint, i) => (ledger.refusals.get(hint) ?? 0) > before[i]),
  )
}

/** Makes a Redis full, and roomy again. */
class MaxMemory implements Disposable {
  readonly #redis: Redis

  constructor(url: string) {
    this.#redis = new Redis(url)
  }

  /** Sets the limit to half of what is in use. */
  async fill(): Promise<void> {
    const [, used] = /^used_memory:(\d+)/m.exec(await this.#redis.info('memory')) ?? []
    await this.#redis.config('SET', 'maxmemory', Math.floor(Number(used) / 2))
  }

  async empty(): Promise<void> {
    await this.#redis.config('SET', 'maxmemory', PLENTY)
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect()
  }
}
