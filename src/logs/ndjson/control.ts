import { readKeyValue, type Value } from '../any-value.ts'
import { WireReader } from '../wire.ts'

/** Where attributes ask a document to go, and in what shape: those of the record before the scope's, before the resource's. */
export interface Route {
  readonly dataset?: string
  readonly namespace?: string
  readonly type?: string
  readonly index?: string
  readonly mode?: string
  /** What the scope stands for, where no attribute names a dataset. */
  readonly scopeDataset?: string
  /** The document's id, of the record alone. */
  readonly id?: string
  /** The ingest pipeline, of the record alone. */
  readonly pipeline?: string
  /** The record is not to be indexed. */
  readonly unindexed?: true
}

type RouteKey = 'dataset' | 'namespace' | 'type' | 'index' | 'mode' | 'id' | 'pipeline'

const CONTEXT_KEYS: Readonly<Record<string, RouteKey>> = {
  'data_stream.dataset': 'dataset',
  'data_stream.namespace': 'namespace',
  'data_stream.type': 'type',
  'elasticsearch.index': 'index',
  'elastic.mapping.mode': 'mode',
}
const RECORD_KEYS: Readonly<Record<string, RouteKey>> = {
  ...CONTEXT_KEYS,
  'elasticsearch.document_id': 'id',
  'elasticsearch.ingest_pipeline': 'pipeline',
}
const HINTS = 'elasticsearch.mapping.hints'
const NO_INDEX = '_noindex'

/** Attributes that steer the exporter and are no part of the document. */
const CONTROL_KEYS: ReadonlySet<string> = new Set([...Object.keys(RECORD_KEYS), HINTS])
const SHORTEST = 16
const LONGEST = 29
const LETTER_D = 0x64
const LETTER_E = 0x65

/** Whether the key at `[start, end)` is that of a control attribute. */
export function isControlKey(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start]
  if (first !== LETTER_D && first !== LETTER_E) return false
  const length = end - start
  return length >= SHORTEST && length <= LONGEST && CONTROL_KEYS.has(bytes.toString('latin1', start, end))
}

/** The route that the attributes in the fields `tag` of a Resource or InstrumentationScope ask for, on top of `outer`. */
export function readContextRoute(message: Buffer, tag: number, outer: Route): Route {
  return { ...outer, ...readAttributes(message, 0, message.length, tag, CONTEXT_KEYS) }
}

/** The route that the attributes in the fields `tag` of a record ask for, on top of `outer`. */
export function readRecordRoute(bytes: Buffer, start: number, end: number, tag: number, outer: Route): Route {
  return { ...outer, ...readAttributes(bytes, start, end, tag, RECORD_KEYS) }
}

function readAttributes(
  bytes: Buffer,
  start: number,
  end: number,
  tag: number,
  keys: Readonly<Record<string, RouteKey>>,
): Route {
  const reader = new WireReader(bytes, start)
  const found: { -readonly [K in keyof Route]: Route[K] } = {}
  while (reader.pos < end) {
    const next = reader.tag(end)
    if (next !== tag) {
      reader.skip(next, end)
      continue
    }
    const stop = reader.length(end)
    const [key, value] = readKeyValue(bytes, reader.pos, stop)
    if (Object.hasOwn(keys, key)) {
      const text = textOf(value)
      if (text !== '') found[keys[key]] ??= text
    } else if (key === HINTS && keys === RECORD_KEYS) {
      if (Array.isArray(value) && value.includes(NO_INDEX)) found.unindexed = true
    }
    reader.pos = stop
  }
  return found
}

/** Whole numbers and booleans name things too. */
function textOf(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : ''
  return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}
