import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as HttpExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startWholePath, type WholePath } from './config.ts'
import { DataStream, type Hit } from './search.ts'
import { eventually } from './sluice.ts'

const RECORDS = 10_000
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
const traceId = (i: number): string => hex(i + 1, 32)
const spanId = (i: number): string => hex(i + 1, 16)

/** Emits the records through the SDK; every second one has its trace context only in an attribute. */
async function emit(exporter: LogRecordExporter, dataset: string): Promise<void> {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      'data_stream.dataset': dataset,
      owner: 'ops@example.com',
    }),
    processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: RECORDS, maxExportBatchSize: 512 })],
  })
  const logger = provider.getLogger('e2e', '1.0.0')
  for (let i = 0; i < RECORDS; i++) {
    const spanContext = { traceId: traceId(i), spanId: spanId(i), traceFlags: 1 }
    const inContext = i % 2 === 0
    logger.emit({
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: `order ${i} of user${i}@example.com paid with 4111 1111 1111 1111`,
      attributes: {
        seq: i,
        phone: '13812345678',
        nested: { mail: `user${i}@example.com` },
        ...(!inContext && { traceparent: `00-${traceId(i)}-${spanId(i)}-01` }),
      },
      ...(inContext && { context: trace.setSpanContext(ROOT_CONTEXT, spanContext) }),
    })
  }
  await provider.forceFlush()
  await provider.shutdown()
}

/** What is to be found of record `i`. */
const expected = (i: number): object => ({
  text: `order ${i} of [EMAIL] paid with ************1111`,
  seq: i,
  phone: '[CN_MOBILE]',
  nested: { mail: '[EMAIL]' },
  owner: '[EMAIL]',
  traceId: traceId(i),
  spanId: spanId(i),
})

const summary = ({ _source: { body, attributes, resource, trace_id, span_id } }: Hit) => ({
  text: body?.text,
  seq: Number(attributes.seq),
  phone: attributes.phone,
  nested: attributes.nested,
  owner: resource.attributes.owner,
  traceId: trace_id,
  spanId: span_id,
})

describe('the whole path with the OpenTelemetry SDK', () => {
  let path: WholePath

  beforeAll(async () => {
    path = await startWholePath(inject('elasticsearchUrl'))
  })

  afterAll(() => path?.[Symbol.asyncDispose]())

  it.each([
    ['gRPC', () => new GrpcExporter({ url: `http://127.0.0.1:${path.grpc}` })],
    ['HTTP with JSON', () => new HttpExporter({ url: `http://127.0.0.1:${path.http}/v1/logs` })],
    ['HTTP with protobuf', () => new ProtoExporter({ url: `http://127.0.0.1:${path.http}/v1/logs` })],
  ])('delivers 10,000 records over %s once each, redacted and with their trace ids', async (_, exporter) => {
    const stream = await DataStream.create(inject('elasticsearchUrl'))

    await emit(exporter(), stream.dataset)
    await eventually('all documents are there', async () => (await stream.count()) >= RECORDS)

    const hits = await stream.all()
    expect(hits.map(summary).sort((a, b) => a.seq - b.seq)).toEqual(
      Array.from({ length: RECORDS }, (_, i) => expected(i)),
    )
    expect(new Set(hits.map((hit) => hit._id)).size).toBe(RECORDS)
  })

  it('can account for every record from the metrics alone', async () => {
    await eventually(
      'the buffer is empty',
      async () => (await path.drain.metrics()).sum('sluice_buffer_records') === 0,
    )
    const [taken, given] = [await path.gateway.metrics(), await path.drain.metrics()]

    const received = taken.sum('otelcol_receiver_accepted_log_records')
    expect(received).toBe(3 * RECORDS)
    expect(received).toBe(
      given.sum('otelcol_exporter_sent_log_records') +
        given.sum('sluice_buffer_records') +
        taken.sum('sluice_dropped_log_records_total') +
        given.sum('sluice_dead_letter_log_records_total'),
    )
    expect(taken.sum('sluice_redactions_total', { detector: 'credit_card' })).toBe(3 * RECORDS)
    expect(taken.sum('otelcol_processor_incoming_items', { processor: 'redaction' })).toBe(received)
    expect(taken.sum('otelcol_processor_outgoing_items', { processor: 'sampling' })).toBe(received)
    expect(given.sum('sluice_end_to_end_latency_seconds_count')).toBeGreaterThan(0)
    expect(given.sum('otelcol_elasticsearch_docs_processed', { outcome: 'success' })).toBe(3 * RECORDS)
  })
})
