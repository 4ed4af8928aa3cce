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
import { WireWriter } from '../src/logs/wire-writer.ts'

export interface PayloadOptions {
  readonly records: number
  /** Makes payloads differ; the same seed gives the same bytes. */
  readonly seed: number
  /** Share of the records that hold something to redact, 0 to 1. */
  readonly sensitive?: number
}

const SERVICES = ['checkout', 'cart', 'payment', 'inventory', 'search', 'profile']
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const PATHS = ['/api/v1/orders/', '/api/v1/cart/', '/api/v2/users/', '/api/v1/payments/', '/static/app.']
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

/** One `ExportLogsServiceRequest` of records that are about 1.3 KB each, as a web shop would write them. */
export function makePayload({ records, seed, sensitive = 0.05 }: PayloadOptions): Buffer {
  const random = mulberry32(seed)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]
  const whole = (limit: number): number => Math.floor(random() * limit)
  const writer = new WireWriter(records * 1400 + 1024)
  const service = pick(SERVICES)
  const resourceLogs = writer.openWide(Request.resourceLogs)
  const resource = writer.open(ResourceLogs.resource)
  for (const [key, value] of [
    ['service.name', service],
    ['service.version', `1.${whole(20)}.${whole(9)}`],
    ['deployment.environment.name', 'production'],
    ['host.name', `node-${whole(40)}.example.internal`],
    ['k8s.pod.name', `${service}-${whole(1e6).toString(36)}`],
    ['k8s.namespace.name', 'shop'],
  ]) {
    attribute(writer, Resource.attributes, key, value)
  }
  writer.close(resource)
  const scopeLogs = writer.openWide(ResourceLogs.scopeLogs)
  const scope = writer.open(ScopeLogs.scope)
  writer.text(Scope.name, `com.example.${service}`)
  writer.text(Scope.version, '1.4.2')
  writer.close(scope)
  const start = BigInt(Date.now()) * 1_000_000n
  for (let i = 0; i < records; i++) {
    const [severityText, severityNumber] = pick(LEVELS)
    const method = pick(METHODS)
    const path = pick(PATHS) + whole(1e7)
    const status = pick([200, 200, 200, 201, 204, 404, 500])
    const client = `10.${whole(256)}.${whole(256)}.${whole(256)}`
    const agent = pick(AGENTS)
    let body = `${client} - u-${whole(5e6)} "${method} ${path} HTTP/1.1" ${status} ${whole(2e5)} "${agent}" `
    const secretAt = random() < sensitive ? 400 : Number.POSITIVE_INFINITY
    let secret = false
    while (body.length < 880) {
      if (!secret && body.length > secretAt) {
        body += pick(SECRETS)
        secret = true
      } else if (random() < 0.3)
        body += `req_id=${whole(2 ** 32).toString(16)} order=${whole(9e7)} qty=${whole(50)} `
      else body += pick(PHRASES)
    }
    const record = writer.open(ScopeLogs.logRecords)
    writer.varint(Record.time)
    writer.fixed64(start + BigInt(i) * 1_000_000n + BigInt(whole(1e6)))
    writer.varint(Record.severityNumber)
    writer.varint(severityNumber)
    writer.text(Record.severityText, severityText)
    const value = writer.open(Record.body)
    writer.text(AnyValue.string, body)
    writer.close(value)
    attribute(writer, Record.attributes, 'http.request.method', method)
    attribute(writer, Record.attributes, 'url.path', path)
    attribute(writer, Record.attributes, 'http.response.status_code', status)
    attribute(writer, Record.attributes, 'duration', whole(2e6) / 1000 + 0.001)
    attribute(writer, Record.attributes, 'client.address', client)
    attribute(writer, Record.attributes, 'user_agent.original', agent)
    attribute(writer, Record.attributes, 'thread.id', whole(200))
    attribute(writer, Record.attributes, 'cache.hit', random() < 0.5)
    attribute(writer, Record.attributes, 'log.logger', pick(LOGGERS))
    if (random() < 0.7) {
      writer.varint(Record.flags)
      writer.fixed32(1)
      writer.field(Record.traceId, randomBytes(random, 16))
      writer.field(Record.spanId, randomBytes(random, 8))
    }
    writer.varint(Record.observedTime)
    writer.fixed64(start + BigInt(i) * 1_000_000n + 1_500_000n)
    writer.close(record)
  }
  writer.closeWide(scopeLogs)
  writer.closeWide(resourceLogs)
  return writer.copyOut()
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

function randomBytes(random: () => number, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => 1 + Math.floor(random() * 255)))
}

/** A small seeded generator (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
