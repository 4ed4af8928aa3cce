import { readKeyValue, type Value } from '../any-value.ts'
import { WireReader } from '../wire.ts'

/** Where attributes ask a document to go: those of the record before the scope's, before the resource's. */
export interface Route {
  readonly dataset?: string
  readonly namespace?: string
  readonly index?: string
}

const ROUTE_KEYS: Readonly<Record<string, keyof Route>> = {
  'data_stream.dataset': 'dataset',
  'data_stream.namespace': 'namespace',
  'elasticsearch.index': 'index',
}

/** Attributes that steer the exporter and are no part of the document. */
const CONTROL_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(ROUTE_KEYS),
  'data_stream.type',
  'elasticsearch.mapping.hints',
  'elasticsearch.document_id',
  'elasticsearch.ingest_pipeline',
  'elastic.mapping.mode',
])
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

/** The route that the attributes in the fields `tag` of a message ask for, on top of `outer`. */
export function readRoute(bytes: Buffer, start: number, end: number, tag: number, outer: Route): Route {
  const reader = new WireReader(bytes, start)
  const found: { -readonly [K in keyof Route]: string } = {}
  while (reader.pos < end) {
    const next = reader.tag(end)
    if (next !== tag) {
      reader.skip(next, end)
      continue
    }
    const stop = reader.length(end)
    const [key, value] = readKeyValue(bytes, reader.pos, stop)
    if (Object.hasOwn(ROUTE_KEYS, key)) {
      const text = textOf(value)
      if (text !== '') found[ROUTE_KEYS[key]] ??= text
    }
    reader.pos = stop
  }
  return { ...outer, ...found }
}

const textOf = (value: Value): string => (typeof value === 'string' ? value : '')
