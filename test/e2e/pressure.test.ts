import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { retryDelayOf, statusOf } from '../receivers/otlp/harness.ts'
import { freePort } from '../servers/ports.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { type BulkSink, startBulkSink } from './bulk-sink.ts'
import { eventually, type MetricsSnapshot, type Sluice, startSluice } from './sluice.ts'

const SDK_RECORDS = 2_000
const PLENTY = '1gb'
const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

/** Requests of one record each are small; this many bytes fill a buffer with few of them. */
const BODY = '.'.repeat(20_000)

describe('back-pressure on the whole path', () => {
  let server: RedisServer
  let admin: Redis
  let sink: BulkSink
  let ports: { grpc: number; http: number }
  /** Numbers of our own records; those of the SDK are below. */
  let next = 1_000_000

  const start = (pipelines: 'logs/gateway' | 'logs/drain', settings = ''): Promise<Sluice> =>
    startSluice({ pipelines, config: config(settings) })

  const config = (settings: string): string => `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${ports.grpc}" }, http: { endpoint: "127.0.0.1:${ports.http}" } } }
connectors:
  redis: { url: "${server.url}", compression: none, ${settings} }
exporters:
  elasticsearch: { endpoint: "${sink.url}" }
service:
  pipelines:
    logs/gateway: { receivers: [otlp], exporters: [redis] }
    logs/drain: { receivers: [redis], exporters: [elasticsearch] }
`

  beforeAll(async () => {
    server = await startRedis()
    admin = new Redis(server.url)
    sink = await startBulkSink()
    ports = { grpc: await freePort(), http: await freePort() }
  })

  afterAll(async () => {
    admin?.disconnect()
    await Promise.all([sink?.[Symbol.asyncDispose](), server?.stop()])
  })

  /** Records with these severities. */
  function requestOf(severities: readonly number[], body: string): Buffer {
    const logRecords = severities.map((severityNumber) => ({
      severityNumber,
      body: { stringValue: body },
      attributes: [{ key: 'seq', value: { intValue: String(next++) } }],
    }))
    return encodeJsonRequest(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
  }

  async function post(severities: readonly number[], body = BODY): Promise<Response> {
    const response = await fetch(`http://127.0.0.1:${ports.http}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(requestOf(severities, body)),
    })
    await response.arrayBuffer()
    return response
  }

  /** Milliseconds of the RetryInfo that a request over gRPC is refused with. */
  function retryInfo(): Promise<number> {
    const client = new Client(`127.0.0.1:${ports.grpc}`, credentials.createInsecure())
    const asItIs = (message: Buffer): Buffer => message
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const answered = (error: ServiceError | null): void => {
      client.close()
      const [details] = error?.metadata.get('grpc-status-details-bin') ?? []
      const info = details && statusOf(details as Buffer).details.get('RetryInfo')
      if (error?.code === status.UNAVAILABLE && info) resolve(retryDelayOf(info))
      else reject(error ?? new Error('the request was accepted'))
    }
    client.makeUnaryRequest(EXPORT, asItIs, asItIs, requestOf([9], BODY), new Metadata(), answered)
    return promise
  }

  async function maxMemory(bytes: number | string): Promise<void> {
    await admin.config('SET', 'maxmemory', bytes)
  }

  const held = async (of: Sluice): Promise<number> => (await of.metrics()).sum('sluice_buffer_records')

  it('refuses while Redis is over maxmemory, with the time to come back, and is drained all the same', async () => {
    await using gateway = await start('logs/gateway')
    let accepted = 0
    for (; accepted < 200; accepted++) expect((await post([9])).status).toBe(200)
    await maxMemory('2mb')

    // Nobody drains yet.
    await eventually('the gateway refuses', async () => (await post([9])).status === 503)
    const waits = [Number((await post([9])).headers.get('retry-after')) * 1000, await retryInfo()]
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(3_000)
      expect(wait).toBeLessThanOrEqual(5_000)
    }
    await eventually('the gateway knows', async () => (await level(gateway)) === 2)
    await using drain = await start('logs/drain')

    await eventually('everything is delivered', async () => (await held(drain)) === 0)
    expect((await gateway.metrics()).sum('otelcol_receiver_accepted_log_records')).toBe(accepted)
    expect(sink.documents.size).toBe(accepted)
    await maxMemory(PLENTY)
    await eventually('the gateway takes logs again', async () => (await post([9])).status === 200)
  })

  it.each([
    ['JSON', () => new JsonExporter({ url: `http://127.0.0.1:${ports.http}/v1/logs` })],
    ['protobuf', () => new ProtoExporter({ url: `http://127.0.0.1:${ports.http}/v1/logs` })],
  ])('costs the OpenTelemetry SDK that retries with %s none of its records', async (_, exporter) => {
    await using gateway = await start('logs/gateway')
    await using _drain = await start('logs/drain')
    sink.clear()
    await maxMemory('1mb')
    await eventually('the gateway knows', async () => (await level(gateway)) === 2)

    const sent = emit(exporter())
    await eventually('the SDK is refused', async () => (await refused(gateway)) >= 512)
    await maxMemory(PLENTY)
    await sent

    const found = (): number[] => [...sink.documents.values()].filter((seq) => seq < SDK_RECORDS)
    await eventually('everything is delivered', async () => found().length >= SDK_RECORDS, 20_000)
    expect(found().sort((a, b) => a - b)).toEqual(Array.from({ length: SDK_RECORDS }, (_, seq) => seq))
  })

  it('sheds by severity on the way, and can account for every record from the metrics alone', async () => {
    const settings = 'max_records: 1000, shedding: { debug: 0.5, info: 0.7 }'
    await using gateway = await start('logs/gateway', settings)
    sink.clear()
    const statuses = new Set<number>()

    for (let i = 0; i < 200; i++)
      statuses.add((await post([0, 1, 5, 8, 9, 9, 9, 12, 13, 17], 'short')).status)
    const taken = await gateway.metrics()
    await using drain = await start('logs/drain', settings)
    await eventually('everything is delivered', async () => (await held(drain)) === 0)
    const given = await drain.metrics()

    const dropped = (reason: string): number => taken.sum('sluice_dropped_log_records_total', { reason })
    expect(statuses).toEqual(new Set([200, 503]))
    expect(dropped('shed_debug')).toBeGreaterThan(0)
    expect(dropped('shed_info')).toBeGreaterThan(0)
    expect(received(taken)).toBe(
      given.sum('otelcol_exporter_sent_log_records') +
        given.sum('sluice_buffer_records') +
        taken.sum('sluice_dropped_log_records_total') +
        given.sum('sluice_dead_letter_log_records_total'),
    )
    expect(sink.documents.size).toBe(received(taken) - dropped('shed_debug') - dropped('shed_info'))
  })

  const received = (metrics: MetricsSnapshot): number => metrics.sum('otelcol_receiver_accepted_log_records')

  const refused = async (gateway: Sluice): Promise<number> =>
    (await gateway.metrics()).sum('otelcol_receiver_refused_log_records')

  const level = async (gateway: Sluice): Promise<number> =>
    (await gateway.metrics()).sum('sluice_buffer_watermark_state')
})

/** Emits records through the SDK, which sends them 512 at a time. */
async function emit(exporter: LogRecordExporter): Promise<void> {
  const processors = [new BatchLogRecordProcessor({ exporter, maxQueueSize: SDK_RECORDS })]
  const provider = new LoggerProvider({ processors })
  const logger = provider.getLogger('pressure')
  for (let seq = 0; seq < SDK_RECORDS; seq++) {
    logger.emit({ severityNumber: SeverityNumber.INFO, body: `record ${seq}`, attributes: { seq } })
  }
  await provider.forceFlush()
  await provider.shutdown()
}
