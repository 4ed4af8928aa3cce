import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'

/** What applications send: requests of OTLP as SDKs of several languages write them, all to one dataset. */
export interface Payload {
  readonly language: string
  readonly bytes: Buffer
}

export const TRACE_ID = '5b8efff798038103d269b633813fc60c'
const SPAN_ID = 'eee19b7ec3c1b174'
const TIME = 1_790_000_000_123_456_789n
const LATER = TIME + 1_000_005n

type Any = string | number | bigint | boolean | readonly Any[] | { readonly [key: string]: Any }

/** A value in OTLP/JSON; numbers that are whole are integers. */
function anyOf(value: Any): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return { intValue: String(value) }
    return { doubleValue: Number.isNaN(value) ? 'NaN' : value }
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyOf) } }
  return { kvlistValue: { values: attributesOf(value as { readonly [key: string]: Any }) } }
}

const attributesOf = (values: { readonly [key: string]: Any }): object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyOf(value) }))

interface Written {
  readonly resource: { readonly [key: string]: Any }
  readonly scope: { readonly name: string; readonly version?: string; readonly attributes?: object[] }
  readonly records: readonly object[]
}

function requestOf({ resource, scope, records }: Written): Buffer {
  const scopeLogs = [{ scope, logRecords: records }]
  return encodeJsonRequest(
    JSON.stringify({ resourceLogs: [{ resource: { attributes: attributesOf(resource) }, scopeLogs }] }),
  )
}

/** The JavaScript SDK itself, with times that are always the same. */
async function javascript(dataset: string): Promise<Buffer> {
  const requests: Buffer[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      requests.push(Buffer.concat(chunks))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const exporter = new OTLPLogExporter({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`,
  })
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({
      'data_stream.dataset': dataset,
      'service.name': 'checkout',
      'service.version': '1.4.0',
      'deployment.environment.name': 'production',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '2.0.0',
      'process.pid': 4711,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '24.1.0',
      'process.command_args': ['node', 'server.js'],
      'host.name': 'node-7',
      'host.arch': 'amd64',
    }),
    processors: [new BatchLogRecordProcessor({ exporter })],
  })
  const logger = provider.getLogger('checkout/http', '1.4.0')
  const spanContext = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 }
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContext)
  const timestamp: [number, number] = [Number(TIME / 1_000_000_000n), Number(TIME % 1_000_000_000n)]
  const times = { timestamp, observedTimestamp: timestamp, context }
  logger.emit({
    ...times,
    severityNumber: SeverityNumber.INFO,
    severityText: 'INFO',
    body: 'payment accepted for order 42',
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'url.path': '/pay',
      took: 12.5,
    },
  })
  logger.emit({
    ...times,
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: 'card refused',
    attributes: {
      'exception.type': 'CardError',
      'exception.message': 'declined',
      'exception.stacktrace': 'CardError: declined\n    at pay (/srv/pay.js:7:9)',
    },
  })
  logger.emit({
    ...times,
    eventName: 'order.placed',
    severityNumber: SeverityNumber.INFO2,
    body: { text: 'an order was placed', order: { id: 42, lines: [{ sku: 'a-1', 'unit.price': 9.5 }] } },
    attributes: { 'data_stream.namespace': 'events' },
  })
  await provider.forceFlush()
  await provider.shutdown()
  server.closeAllConnections()
  server.close()
  if (requests.length !== 1) throw new Error(`${requests.length} requests came instead of one`)
  return requests[0]
}

/** As the logging handler of the Python SDK writes records. */
const python = (dataset: string): Buffer =>
  requestOf({
    resource: {
      'data_stream.dataset': dataset,
      'telemetry.sdk.language': 'python',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.37.0',
      'service.name': 'inventory',
      'service.instance.id': '627cc493-f310-47de-96bd-71410b7dec09',
      'deployment.environment': 'staging',
    },
    scope: { name: 'inventory.stock' },
    records: [
      {
        timeUnixNano: String(TIME),
        observedTimeUnixNano: String(LATER),
        severityNumber: 13,
        severityText: 'WARN',
        body: anyOf('stock of sku-9 is low'),
        attributes: attributesOf({
          'code.file.path': '/app/stock.py',
          'code.function.name': 'reserve',
          'code.line.number': 118,
          'stock.left': 9_223_372_036_854_775_807n,
        }),
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        flags: 1,
      },
      {
        observedTimeUnixNano: String(LATER),
        severityNumber: 17,
        severityText: 'ERROR',
        body: anyOf('Traceback'),
        attributes: attributesOf({
          'exception.type': 'KeyError',
          'exception.message': "'sku-9'",
          'exception.stacktrace': 'Traceback (most recent call last):\n  File "stock.py", line 3\nKeyError',
          'exception.escaped': 'False',
        }),
      },
      {
        timeUnixNano: String(TIME + 5n),
        observedTimeUnixNano: String(LATER),
        severityNumber: 9,
        severityText: 'INFO',
        body: anyOf({
          '@timestamp': '2026-09-21T14:13:20.123Z',
          text: 'a dict was logged',
          items: ['a', 'b'],
          n: { deep: -7 },
        }),
        attributes: attributesOf({ 'data_stream.namespace': 'dicts', ratio: Number.NaN }),
      },
    ],
  })

/** As the Java agent writes what Logback logs. */
const java = (dataset: string): Buffer =>
  requestOf({
    resource: {
      'data_stream.dataset': dataset,
      'container.id': '3f2a',
      'container.image.tags': ['1.9', 'latest'],
      'host.name': 'node-9',
      'host.arch': 'aarch64',
      'os.type': 'linux',
      'os.description': 'Linux 6.8',
      'process.executable.path': '/opt/java/bin/java',
      'process.command_line': 'java -jar app.jar',
      'process.pid': 1,
      'process.runtime.name': 'OpenJDK Runtime Environment',
      'process.runtime.version': '21.0.4+7',
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'orders-5d4',
      'k8s.pod.uid': '1b2c',
      'k8s.deployment.name': 'orders',
      'k8s.cluster.name': 'eu-1',
      'service.name': 'orders',
      'telemetry.distro.name': 'opentelemetry-java-instrumentation',
      'telemetry.distro.version': '2.20.0',
      'telemetry.sdk.language': 'java',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.54.0',
    },
    scope: { name: 'com.example.orders.OrderService' },
    records: [
      {
        timeUnixNano: String(TIME),
        observedTimeUnixNano: String(LATER),
        severityNumber: 17,
        severityText: 'ERROR',
        body: anyOf('order 42 could not be saved'),
        attributes: attributesOf({
          'exception.message': 'deadlock',
          'exception.type': 'java.sql.SQLException',
          'exception.stacktrace':
            'java.sql.SQLException: deadlock\n\tat com.example.orders.Store.save(Store.java:7)',
          'thread.id': 31,
          'thread.name': 'http-nio-8080-exec-3',
        }),
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        flags: 1,
      },
      {
        timeUnixNano: String(TIME),
        severityNumber: 9,
        body: anyOf('event in an attribute'),
        attributes: attributesOf({ 'event.name': 'order.saved', 'elasticsearch.document_id': 'order-42' }),
      },
    ],
  })

/** As otelslog, the bridge of Go's log/slog, writes records: groups are maps, and names clash now and then. */
const go = (dataset: string): Buffer =>
  requestOf({
    resource: {
      'data_stream.dataset': dataset,
      'service.name': 'gateway',
      'host.name': 'node-1',
      'host.hostname': 'node-1.example.org',
      'telemetry.sdk.language': 'go',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.38.0',
    },
    scope: {
      name: 'example.org/gateway',
      version: 'v0.3.1',
      attributes: attributesOf({ 'exit.owner': 'edge' }),
    },
    records: [
      {
        timeUnixNano: String(TIME),
        severityNumber: 25,
        severityText: 'ERROR+8',
        body: anyOf('upstream failed'),
        attributes: attributesOf({
          error: 'dial tcp: i/o timeout',
          'error.kind': 'net.OpError',
          request: { method: 'GET', headers: { accept: ['*/*'] }, empty: {} },
          attempts: [
            { 'took.ms': 12.25, ok: false },
            { 'took.ms': 7, ok: true },
          ],
          exit: -9_007_199_254_740_993n,
        }),
        traceId: TRACE_ID,
        spanId: SPAN_ID,
      },
    ],
  })

/** Of every language, the same bytes for the same dataset. */
export async function payloads(dataset: string): Promise<readonly Payload[]> {
  return [
    { language: 'javascript', bytes: await javascript(dataset) },
    { language: 'python', bytes: python(dataset) },
    { language: 'java', bytes: java(dataset) },
    { language: 'go', bytes: go(dataset) },
  ]
}
