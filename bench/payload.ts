import {
  AnyValue,
  KeyValue,
  Record,
  Request,
  Resource,
  ResourceLogs,
  Scope,
  ScopeLogs,
} from '../src/logs/wire.ts'
import { varintSize, WireWriter } from '../src/logs/wire-writer.ts'
import { Draw } from './draw.ts'

export interface PayloadOptions {
  readonly records: number
  /** Makes payloads differ; the same seed gives the same bytes. */
  readonly seed: number
  /** Share of the records that hold something to redact, 0 to 1. */
  readonly sensitive?: number
  /** About how large each record is, from 150 up. Small ones have fewer attributes. */
  readonly recordBytes?: number
}

export interface TimedPayload {
  readonly bytes: Buffer
  /** Where each record's `time_unix_nano` lies, eight bytes. */
  readonly times: readonly number[]
}

/** What a record of the usual size is: a body of 900 bytes, and nine attributes. */
export const USUAL_BYTES = 1300
/** From here on a record has all attributes. */
const FULL_BYTES = 700
/** What a record has besides its body. */
const FULL_OVERHEAD = 420
const SMALL_OVERHEAD = 110
/** How far into a body the secret stands. */
const SECRET_AT = 400

const SERVICES = ['checkout', 'cart', 'payment', 'inventory', 'search', 'profile']
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const PATHS = ['/api/v1/orders/', '/api/v1/cart/', '/api/v2/users/', '/api/v1/payments/', '/static/app.']
const STATUSES = [200, 200, 200, 201, 204, 404, 500]
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1',
  'okhttp/5.3.0',
]
const LOGGERS = [
  'com.example.shop.OrderService',
  'com.example.shop.payment.CaptureClient',
  'org.example.web.Dispatcher',
]
const PHRASES = [
  'pool initialised with eight connections; ',
  'cache miss, reading from the primary; ',
  'upstream slower than its threshold, retry budget left; ',
  'event published to the topic; ',
  'request body is valid against schema version 3; ',
  'lock acquired after contention; ',
  'transaction committed, stock released; ',
]
const LEVELS = [
  ['DEBUG', 5],
  ['INFO', 9],
  ['INFO', 9],
  ['INFO', 9],
  ['WARN', 13],
  ['ERROR', 17],
] as const
const SECRETS = [
  'mail li.wei@example.com asked; ',
  'card 4111 1111 1111 1111 authorised; ',
  'mobile 13812345678 verified; ',
  'id_no 11010519491231002X checked; ',
]

/** One `ExportLogsServiceRequest` as a web shop would write it. */
export function makePayload(options: PayloadOptions): Buffer {
  return makeTimedPayload(options).bytes
}

/** The same, with where the times are, for whoever wants to change them. */
export function makeTimedPayload(options: PayloadOptions): TimedPayload {
  const { records, recordBytes = USUAL_BYTES } = options
  const draw = new Draw(options.seed)
  const writer = new WireWriter(records * (recordBytes + 100) + 1024)
  const resourceLogs = writer.openWide(Request.resourceLogs)
  const service = draw.pick(SERVICES)
  writeResource(writer, service, draw)
  const scopeLogs = writer.openWide(ResourceLogs.scopeLogs)
  const scope = writer.open(ScopeLogs.scope)
  writer.text(Scope.name, `com.example.${service}`)
  writer.text(Scope.version, '1.4.2')
  writer.close(scope)
  const start = BigInt(Date.now()) * 1_000_000n
  const times = Array.from({ length: records }, (_, record) =>
    writeRecord(writer, start + BigInt(record) * 1_000_000n, draw, options),
  )
  writer.closeWide(scopeLogs)
  writer.closeWide(resourceLogs)
  return { bytes: writer.copyOut(), times }
}

function writeResource(writer: WireWriter, service: string, draw: Draw): void {
  const resource = writer.open(ResourceLogs.resource)
  for (const [key, value] of [
    ['service.name', service],
    ['service.version', `1.${draw.whole(20)}.${draw.whole(9)}`],
    ['deployment.environment.name', 'production'],
    ['host.name', `node-${draw.whole(40)}.example.internal`],
    ['k8s.pod.name', `${service}-${draw.whole(1e6).toString(36)}`],
    ['k8s.namespace.name', 'shop'],
  ]) {
    attribute(writer, Resource.attributes, key, value)
  }
  writer.close(resource)
}

/** Returns where its time lies. */
function writeRecord(writer: WireWriter, time: bigint, draw: Draw, options: PayloadOptions): number {
  const { sensitive = 0.05, recordBytes = USUAL_BYTES } = options
  const full = recordBytes >= FULL_BYTES
  const [severityText, severityNumber] = draw.pick(LEVELS)
  const method = draw.pick(METHODS)
  const path = draw.pick(PATHS) + draw.whole(1e7)
  const status = draw.pick(STATUSES)
  const client = `10.${draw.whole(256)}.${draw.whole(256)}.${draw.whole(256)}`
  const agent = draw.pick(AGENTS)
  const head = full
    ? `${client} - u-${draw.whole(5e6)} "${method} ${path} HTTP/1.1" ${status} ${draw.whole(2e5)} "${agent}" `
    : `${method} ${status} `
  const body = bodyOf(head, recordBytes - (full ? FULL_OVERHEAD : SMALL_OVERHEAD), sensitive, draw)

  const record = writer.open(ScopeLogs.logRecords)
  writer.varint(Record.time)
  writer.fixed64(time + BigInt(draw.whole(1e6)))
  writer.varint(Record.severityNumber)
  writer.varint(severityNumber)
  writer.text(Record.severityText, severityText)
  const value = writer.open(Record.body)
  writer.text(AnyValue.string, body)
  writer.close(value)
  const add = (key: string, of: string | number | boolean): void =>
    attribute(writer, Record.attributes, key, of)
  add('http.request.method', method)
  if (full) {
    add('url.path', path)
    add('http.response.status_code', status)
    add('duration', draw.whole(2e6) / 1000 + 0.001)
    add('client.address', client)
    add('user_agent.original', agent)
    add('thread.id', draw.whole(200))
    add('cache.hit', draw.chance(0.5))
    add('log.logger', draw.pick(LOGGERS))
  }
  if (draw.chance(0.7)) {
    writer.varint(Record.flags)
    writer.fixed32(1)
    writer.field(Record.traceId, draw.bytes(16))
    writer.field(Record.spanId, draw.bytes(8))
  }
  writer.varint(Record.observedTime)
  writer.fixed64(time + 1_500_000n)
  // The time is the first field of a record, which moves up where its length takes more than a byte.
  const timeAt = record + varintSize(writer.pos - record)
  writer.close(record)
  return timeAt
}

/** Text of about `bytes`, with at most one secret in it. */
function bodyOf(head: string, bytes: number, sensitive: number, draw: Draw): string {
  let body = head
  let secretAt = draw.chance(sensitive) ? Math.min(SECRET_AT, bytes / 2) : Number.POSITIVE_INFINITY
  while (body.length < bytes || secretAt < Number.POSITIVE_INFINITY) {
    if (body.length > secretAt) {
      body += draw.pick(SECRETS)
      secretAt = Number.POSITIVE_INFINITY
    } else if (draw.chance(0.3)) {
      body += `req_id=${draw.whole(2 ** 32).toString(16)} order=${draw.whole(9e7)} qty=${draw.whole(50)} `
    } else body += draw.pick(PHRASES)
  }
  return body
}

function attribute(writer: WireWriter, tag: number, key: string, value: string | number | boolean): void {
  const start = writer.open(tag)
  writer.text(KeyValue.key, key)
  const inner = writer.open(KeyValue.value)
  if (typeof value === 'string') writer.text(AnyValue.string, value)
  else if (typeof value === 'boolean') {
    writer.varint(AnyValue.bool)
    writer.varint(value ? 1 : 0)
  } else if (Number.isInteger(value)) {
    writer.varint(AnyValue.int)
    writer.varint(value)
  } else {
    writer.varint(AnyValue.double)
    writer.double(value)
  }
  writer.close(inner)
  writer.close(start)
}
