import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { type BulkSink, startBulkSink } from './bulk-sink.ts'
import { numberedRequest } from './client.ts'
import { GrpcClient } from './grpc-client.ts'
import { healthAt } from './health.ts'
import { eventually, type MetricsSnapshot, type Sluice, startSluice } from './sluice.ts'

const RECORDS = 20
const CLIENTS = 4
const PAUSE = 20

describe('two gateways and two drains, one Redis', () => {
  let grpc: number
  let health: number
  let sink: BulkSink
  let sluice: Sluice
  let all: AsyncDisposableStack

  beforeEach(async () => {
    await using started = new AsyncDisposableStack()
    const redis = started.use(await startRedis())
    sink = started.use(await startBulkSink())
    grpc = await freePort()
    health = await freePort()
    const config = wholePath({ grpc, health, redisUrl: redis.url, elasticsearchUrl: sink.url })
    sluice = started.use(await startSluice({ config }))
    all = started.move()
  })

  afterEach(() => all?.disposeAsync())

  const numbers = (records: number): number[] => Array.from({ length: records }, (_, seq) => seq)
  const stored = (): number[] => [...sink.documents.values()].sort((a, b) => a - b)

  async function drained(records: number): Promise<MetricsSnapshot> {
    await eventually('all records are delivered', async () => sink.documents.size >= records)
    await eventually(
      'the buffer is empty',
      async () => (await sluice.metrics()).sum('sluice_buffer_records') === 0,
    )
    return sluice.metrics()
  }

  /**
   * Sends requests over a few connections, each until it is acknowledged, and goes on until `enough` of them are.
   * Resolves with their number.
   */
  async function send(enough: (acknowledged: number) => boolean): Promise<number> {
    using clients = new DisposableStack()
    let next = 0
    let acknowledged = 0
    const sendOneByOne = async (client: GrpcClient): Promise<void> => {
      while (!enough(acknowledged)) {
        await client.exportUntilAccepted(numberedRequest(next++, RECORDS, 'processes').bytes)
        acknowledged++
        // Load, but not so much that processes take long to start beside it.
        await delay(PAUSE)
      }
    }
    const connections = Array.from({ length: CLIENTS }, () => clients.use(new GrpcClient(grpc)))
    await Promise.all([...connections, ...connections].map(sendOneByOne))
    return acknowledged
  }

  it('account for every record in the metrics of all processes together', async () => {
    const records = RECORDS * (await send((acknowledged) => acknowledged >= 100))
    const metrics = await drained(records)

    const received = metrics.sum('otelcol_receiver_accepted_log_records')
    expect(received).toBe(records)
    expect(received).toBe(
      metrics.sum('otelcol_exporter_sent_log_records') +
        metrics.sum('sluice_buffer_records') +
        metrics.sum('sluice_dropped_log_records_total') +
        metrics.sum('sluice_dead_letter_log_records_total'),
    )
    expect(metrics.sum('sluice_redactions_total', { detector: 'email' })).toBe(received)
    expect(metrics.sum('sluice_end_to_end_latency_seconds_count')).toBeGreaterThan(0)
    expect(stored()).toEqual(numbers(records))
  })

  it('lose nothing that was acknowledged when they are killed under load, and count on', async () => {
    let acknowledged = 0
    let isOver = false
    let last = 0
    const wentBack: number[] = []
    const observe = async (): Promise<void> => {
      const now = (await sluice.metrics()).sum('otelcol_receiver_accepted_log_records')
      if (now < last) wentBack.push(now)
      last = Math.max(last, now)
    }
    const observing = setInterval(() => void observe(), 200)

    const sending = send((count) => {
      acknowledged = count
      return isOver
    })
    try {
      for (const victim of ['gateway-1', 'drain-1', 'gateway-2', 'gateway-1']) {
        const before = acknowledged
        await eventually('requests are acknowledged', async () => acknowledged > before + 20)
        const { pid } = await well(victim)
        process.kill(pid, 'SIGKILL')
        await eventually(`${victim} runs again`, async () => (await well(victim)).pid !== pid)
      }
    } finally {
      isOver = true
      clearInterval(observing)
    }
    const records = RECORDS * (await sending)
    const metrics = await drained(records)

    expect(stored()).toEqual(numbers(records))
    expect(last).toBeGreaterThan(0)
    expect(wentBack).toEqual([])
    expect(metrics.sum('sluice_process_restarts_total', { reason: 'signal' })).toBe(4)
    expect(metrics.sum('sluice_process_restarts_total', { process: 'gateway-1' })).toBe(2)
  })

  /** The status of a process that is well; fails while it is not. */
  async function well(name: string): Promise<{ pid: number }> {
    const { processes } = await healthAt(health)
    const { state, pid } = processes[name]
    if (state !== 'ok' || pid === undefined) throw new Error(`${name} is ${state}`)
    return { pid }
  }
})

interface Settings {
  readonly grpc: number
  readonly health: number
  readonly redisUrl: string
  readonly elasticsearchUrl: string
}

function wholePath({ grpc, health, redisUrl, elasticsearchUrl }: Settings): string {
  return `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${grpc}" } } }
processors:
  redaction:
connectors:
  redis: { url: "${redisUrl}", worker_timeout: 2s, heartbeat: 500ms }
exporters:
  elasticsearch: { endpoint: "${elasticsearchUrl}" }
extensions:
  health_check: { endpoint: "127.0.0.1:${health}" }
service:
  extensions: [health_check]
  processes:
    - { pipelines: [logs/gateway], count: 2 }
    - { pipelines: [logs/drain], count: 2 }
  pipelines:
    logs/gateway: { receivers: [otlp], processors: [redaction], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`
}
