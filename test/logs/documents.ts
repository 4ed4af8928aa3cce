import { expect } from 'vitest'
import type { LogBatch } from '../../src/logs/batch.ts'
import type { Route } from '../../src/logs/ndjson/control.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import { type DocumentSource, OtelDocuments, type Target } from '../../src/logs/ndjson/otel-document.ts'
import type { TimestampStyle } from '../../src/logs/ndjson/timestamp.ts'
import { writeJson } from '../../src/logs/ndjson/write-json.ts'
import { type AnyValue, firstOfEach, type KeyValue, type RecordInContext } from '../oracle/oracle.ts'

export const RECEIVED_MS = 1_750_000_000_000
export const STYLES = ['epoch_millis', 'rfc3339'] as const satisfies readonly TimestampStyle[]

export interface Rendered {
  readonly documents: readonly unknown[]
  readonly sources: readonly DocumentSource<Target>[]
  readonly failures: readonly string[]
}

/** Renders in TypeScript and in the kernel, which makes no difference. Where a document goes stands in it as `route`. */
export function render(batch: LogBatch, timestamps: TimestampStyle = 'epoch_millis'): Rendered {
  // Too small at first.
  const own = linesOf(batch, timestamps, new JsonWriter(16))
  writeJson(16, (out) => expect(linesOf(batch, timestamps, out)).toEqual(own))
  const { lines, sources, failures } = own
  return { documents: lines.map(parse), sources, failures }
}

function linesOf(batch: LogBatch, timestamps: TimestampStyle, out: JsonWriter) {
  const lines: string[] = []
  const sources: DocumentSource<Target>[] = []
  const failures: string[] = []
  let from = 0
  const documents = new OtelDocuments({
    timestamps,
    target: (route) => ({ dataStream: Buffer.from(`,"route":${JSON.stringify(route)}`) }),
    before: () => {
      from = out.pos
    },
    after: (source) => {
      lines.push(out.bytes.toString('utf8', from, out.pos))
      sources.push({ ...source })
    },
    failed: (record, error) => failures.push(`${record}: ${error.message}`),
  })
  documents.render(batch, out)
  expect(out.bytes.toString('utf8', 0, out.pos)).toBe(lines.join(''))
  return { lines, sources, failures }
}

/** A number of JSON by its text: integers may be larger than JavaScript's. */
export class JsonNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** A line as an object, with numbers as they are written; keys that are there twice are no JSON to Elasticsearch. */
export function parse(line: string): unknown {
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(duplicateKeys(line)).toEqual([])
  return JSON.parse(line, (_, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new JsonNumber(context?.source ?? '') : value,
  )
}

function duplicateKeys(json: string): string[] {
  const open: Set<string>[] = []
  const found: string[] = []
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")(?=:)|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (key !== undefined && open.at(-1)?.size === open.at(-1)?.add(JSON.parse(key) as string).size)
      found.push(key)
  }
  return found
}

export const CONTROL: ReadonlySet<string> = new Set([
  'data_stream.dataset',
  'data_stream.namespace',
  'data_stream.type',
  'elasticsearch.index',
  'elasticsearch.mapping.hints',
  'elasticsearch.document_id',
  'elasticsearch.ingest_pipeline',
  'elastic.mapping.mode',
])

function expectedValue(any: AnyValue | undefined): unknown {
  const { case: kind, value } = any?.value ?? { case: undefined }
  switch (kind) {
    case 'intValue':
      return new JsonNumber(String(value))
    case 'doubleValue':
      return expectedDouble(value)
    case 'bytesValue':
      return hex(value)
    case 'arrayValue':
      return value.values.map(expectedValue)
    case 'kvlistValue':
      return expectedMap(value.values)
    case 'stringValueStrindex':
    case undefined:
      return null
    default:
      return value
  }
}

export function expectedDouble(value: number): unknown {
  if (!Number.isFinite(value)) return null
  if (Object.is(value, -0)) return new JsonNumber('-0.0')
  return new JsonNumber(/[.e]/.test(String(value)) ? String(value) : `${value}.0`)
}

const expectedMap = (values: readonly KeyValue[]): object =>
  Object.fromEntries(firstOfEach(values).map(({ key, value }) => [key, expectedValue(value)]))
const attributesOf = (values: readonly KeyValue[] = []): object =>
  expectedMap(values.filter(({ key }) => !CONTROL.has(key)))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function expectedBody(body: AnyValue | undefined): object | undefined {
  const any = body?.value
  if (any?.case === undefined) return undefined
  if (any.case === 'kvlistValue') return { structured: expectedValue(body) }
  if (any.case !== 'arrayValue') return { text: expectedValue(body) }
  const items = any.value.values
  const maps = items.length > 0 && items.every(({ value }) => value.case === 'kvlistValue')
  return { structured: maps ? expectedValue(body) : { value: expectedValue(body) } }
}

export function expectedTime(nanoseconds: bigint, style: TimestampStyle): string {
  if (style === 'epoch_millis') {
    return `${nanoseconds / 1_000_000n}.${String(nanoseconds % 1_000_000n).padStart(6, '0')}`
  }
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`
}

const ROUTE_KEYS = {
  dataset: 'data_stream.dataset',
  namespace: 'data_stream.namespace',
  type: 'data_stream.type',
  index: 'elasticsearch.index',
  mode: 'elastic.mapping.mode',
}

/** What names something: text, whole numbers and booleans. */
function nameIn(any: AnyValue | undefined): string {
  const { case: kind, value } = any?.value ?? { case: undefined }
  if (kind === 'stringValue' || kind === 'intValue' || kind === 'boolValue') return String(value)
  return kind === 'doubleValue' && Number.isInteger(value) ? String(value) : ''
}

function routeOf(values: readonly KeyValue[] = []): Route {
  const first = (name: string): string | undefined =>
    values.flatMap(({ key, value }) => (key === name ? [nameIn(value)] : [])).find((text) => text !== '')
  const route = Object.entries(ROUTE_KEYS).map(([name, key]) => [name, first(key)])
  return Object.fromEntries(route.filter(([, value]) => value !== undefined))
}

/** The field, or else the attribute, when that is text. */
function eventNameOf({ eventName, attributes }: RecordInContext['record']): string {
  const { value } = attributes.find(({ key }) => key === 'event.name') ?? {}
  return eventName !== '' || value?.value.case !== 'stringValue' ? eventName : value.value.value
}

const number = (value: number): JsonNumber | undefined =>
  value !== 0 ? new JsonNumber(String(value)) : undefined
const orNone = (text: string): string | undefined => (text === '' ? undefined : text)

/** The document of a record; members that are undefined are not there. */
export function expectedDocument(context: RecordInContext, style: TimestampStyle): object {
  const { record, scope, resource } = context
  const time = record.timeUnixNano || record.observedTimeUnixNano || BigInt(RECEIVED_MS) * 1_000_000n
  return {
    '@timestamp': expectedTime(time, style),
    observed_timestamp: record.observedTimeUnixNano
      ? expectedTime(record.observedTimeUnixNano, style)
      : undefined,
    route: { ...routeOf(resource?.attributes), ...routeOf(scope?.attributes), ...routeOf(record.attributes) },
    severity_text: orNone(record.severityText),
    severity_number: number(record.severityNumber),
    trace_id: orNone(hex(record.traceId)),
    span_id: orNone(hex(record.spanId)),
    trace_flags: number(record.flags & 0xff),
    event_name: orNone(eventNameOf(record)),
    dropped_attributes_count: number(record.droppedAttributesCount),
    attributes: attributesOf(record.attributes),
    resource: {
      schema_url: orNone(context.resourceSchemaUrl),
      attributes: attributesOf(resource?.attributes),
      dropped_attributes_count: number(resource?.droppedAttributesCount ?? 0),
    },
    scope: {
      schema_url: orNone(context.scopeSchemaUrl),
      name: orNone(scope?.name ?? ''),
      version: orNone(scope?.version ?? ''),
      attributes: attributesOf(scope?.attributes),
      dropped_attributes_count: number(scope?.droppedAttributesCount ?? 0),
    },
    body: expectedBody(record.body),
  }
}
