import type { LogBatch } from '../../src/logs/batch.ts'
import { Documents } from '../../src/logs/ndjson/documents.ts'
import type { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import type { FieldScheme, Layer } from '../../src/logs/ndjson/fields/scheme.ts'
import { JsonWriter } from '../../src/logs/ndjson/json-writer.ts'
import type { AnyValue, KeyValue, RecordInContext } from '../oracle/oracle.ts'
import { CONTROL, expectedDouble, expectedTime, hex, JsonNumber, parse, RECEIVED_MS } from './documents.ts'

const TARGET = { dataStream: Buffer.from(',"target":true') }

/** The documents of a batch, and what the mapping counted. */
export function renderFields(batch: LogBatch, mapping: FieldMapping) {
  // Too small at first.
  const out = new JsonWriter(16)
  const documents: Tree[] = []
  const clashes: ReadonlyMap<string, number>[] = []
  const failures: string[] = []
  let from = 0
  mapping.clashes.clear()
  const renderer = new Documents({
    destination: () => ({ mapping, target: TARGET }),
    before: () => {
      from = out.pos
    },
    after: () => {
      documents.push(parse(out.bytes.toString('utf8', from, out.pos)) as Tree)
      clashes.push(new Map(mapping.clashes))
      mapping.clashes.clear()
    },
    failed: (record, error) => failures.push(`${record}: ${error.message}`),
  })
  renderer.render(batch, out)
  return { documents, clashes, failures }
}

export type Tree = { readonly [name: string]: unknown }
/** A name's parts and what stands there, in the order of rank. */
export type Entry = readonly [name: string, value: unknown]

/** What an attribute becomes: maps are fields of their own, what is empty is none. */
function entriesOf(keys: readonly string[], any: AnyValue | undefined): [string[], unknown][] {
  const { case: kind, value } = any?.value ?? { case: undefined }
  if (kind === undefined || (kind === 'arrayValue' && value.values.length === 0)) return []
  if (kind !== 'kvlistValue') return [[[...keys], valueOf(any)]]
  return value.values.flatMap((inner) => entriesOf([...keys, inner.key], inner.value))
}

/** A value with names of maps in it taken apart at their dots. */
function valueOf(any: AnyValue | undefined): unknown {
  const { case: kind, value } = any?.value ?? { case: undefined }
  switch (kind) {
    case 'intValue':
      return new JsonNumber(String(value))
    case 'doubleValue':
      return expectedDouble(value)
    case 'bytesValue':
      return hex(value)
    case 'arrayValue':
      return value.values.map(valueOf)
    case 'kvlistValue':
      return treeOf(
        value.values.flatMap(({ key, value: inner }) =>
          entriesOf([key], inner).map(([keys, leaf]) => [keys.join('.'), leaf] as const),
        ),
        true,
      )
    case 'stringValueStrindex':
    case undefined:
      return null
    default:
      return value
  }
}

/** Puts values at their names; of two for one name the first counts. Knows nothing of values that are objects too. */
export function treeOf(entries: readonly Entry[], nested: boolean): Tree {
  const root = new Map<string, unknown>()
  for (const [name, value] of entries) {
    const parts = name.split('.').filter((part) => part.trim() !== '')
    if (parts.length === 0) parts.push('_')
    const last = nested ? parts.pop() : parts.join('.')
    let map: Map<string, unknown> = root
    for (const part of nested ? parts : []) {
      if (!(map.get(part) instanceof Map)) map.set(part, new Map())
      map = map.get(part) as Map<string, unknown>
    }
    if (last !== undefined && !map.has(last)) map.set(last, value)
  }
  return plain(root)
}

const plain = (map: Map<string, unknown>): Tree =>
  Object.fromEntries([...map].map(([name, value]) => [name, value instanceof Map ? plain(value) : value]))

/** The fields of attributes, as `places` of a scheme calls them. */
function attributesOf(values: readonly KeyValue[] = [], layer: Layer, scheme: FieldScheme): Entry[] {
  return values
    .filter(({ key }) => !CONTROL.has(key))
    .flatMap(({ key, value }) => entriesOf([key], value))
    .flatMap(([keys, value]) =>
      scheme
        .places({ keys, inBody: false, isList: false }, layer)
        .map(({ name, rank }) => ({ name, rank, value })),
    )
    .sort((a, b) => a.rank - b.rank)
    .map(({ name, value }) => [name, value])
}

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const LAST_NUMBER = 24

/** Where no name is a value and an object, the document of a record in ECS. */
export function expectedEcs({ record, scope, resource }: RecordInContext, ecs: FieldScheme): Tree {
  const own: Entry[] = timesOf(record, 'event.created')
  const add = (name: string, value: unknown): void => void own.push([name, value])
  const { severityNumber, severityText } = record
  const known = severityNumber >= 1 && severityNumber <= LAST_NUMBER
  const level = severityText || (known ? LEVELS[Math.floor((severityNumber - 1) / 4)] : '')
  if (level !== '') add('log.level', level)
  if (record.traceId.length > 0) add('trace.id', hex(record.traceId))
  if (record.spanId.length > 0) add('span.id', hex(record.spanId))
  if (severityNumber !== 0) add('event.severity', new JsonNumber(String(severityNumber)))
  if (record.eventName !== '') add('event.action', record.eventName)
  const body = record.body?.value
  if (body?.case === 'stringValue' || body?.case === 'bytesValue') add('message', valueOf(record.body))
  else if (body?.case !== undefined) {
    const value = valueOf(record.body)
    const isMap =
      body.case === 'kvlistValue' ||
      (body.case === 'arrayValue' &&
        body.value.values.length > 0 &&
        body.value.values.every((item) => item.value.case === 'kvlistValue'))
    add('body.structured', isMap ? value : { value })
    add('message', new JsonOf(value))
  }
  return treeOf(
    [
      ...own,
      ...attributesOf(record.attributes, 'record', ecs),
      ...attributesOf(scope?.attributes, 'scope', ecs),
      ...(scope?.name ? ([['log.logger', scope.name]] as const) : []),
      ...attributesOf(resource?.attributes, 'resource', ecs),
    ],
    true,
  )
}

/** The same in the modes `none` and `raw`. */
export function expectedPlain({ record, scope, resource }: RecordInContext, scheme: FieldScheme): Tree {
  const own: Entry[] = timesOf(record, 'ObservedTimestamp')
  const add = (name: string, value: unknown): void => void own.push([name, value])
  if (record.traceId.length > 0) add('TraceId', hex(record.traceId))
  if (record.spanId.length > 0) add('SpanId', hex(record.spanId))
  add('TraceFlags', new JsonNumber(String(record.flags)))
  if (record.severityText !== '') add('SeverityText', record.severityText)
  add('SeverityNumber', new JsonNumber(String(record.severityNumber)))
  if (record.eventName !== '') add('EventName', record.eventName)
  const body = record.body?.value
  if (body?.case === 'kvlistValue') {
    for (const { key, value } of body.value.values) {
      for (const [keys, leaf] of entriesOf([key], value)) own.push([`Body.${keys.join('.')}`, leaf])
    }
  } else if (body?.case !== undefined) add('Body', valueOf(record.body))
  return treeOf(
    [
      ...own,
      ...attributesOf(record.attributes, 'record', scheme),
      ...attributesOf(scope?.attributes, 'scope', scheme),
      ['Scope.name', scope?.name ?? ''],
      ['Scope.version', scope?.version ?? ''],
      ...attributesOf(resource?.attributes, 'resource', scheme),
    ],
    false,
  )
}

function timesOf(record: RecordInContext['record'], observed: string): Entry[] {
  const time = record.timeUnixNano || record.observedTimeUnixNano || BigInt(RECEIVED_MS) * 1_000_000n
  const times: Entry[] = [
    ['@timestamp', expectedTime(time, 'rfc3339')],
    ['target', true],
  ]
  if (record.observedTimeUnixNano)
    times.push([observed, expectedTime(record.observedTimeUnixNano, 'rfc3339')])
  return times
}

/** Text that is the JSON of a value. */
class JsonOf {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }

  /** For comparisons by vitest. */
  asymmetricMatch(text: unknown): boolean {
    return typeof text === 'string' && JSON.stringify(parse(`${text}\n`)) === JSON.stringify(this.value)
  }
}
