import { type FieldScheme, HAS, type OwnField, SLOT } from './scheme.ts'
import type { Leaf } from './shapes.ts'

/** The fields of OTLP under names with dots; attributes of records begin with `prefix`. */
function plain(prefix: string): FieldScheme {
  const fields: readonly (OwnField & { readonly has: number })[] = [
    { name: '@timestamp', slot: SLOT.time, has: 0 },
    { name: `${prefix}data_stream`, slot: SLOT.dataStream, has: 0 },
    { name: 'ObservedTimestamp', slot: SLOT.observed, has: HAS.observed },
    { name: 'TraceId', slot: SLOT.traceId, has: HAS.traceId },
    { name: 'SpanId', slot: SLOT.spanId, has: HAS.spanId },
    { name: 'TraceFlags', slot: SLOT.flags, has: 0 },
    { name: 'SeverityText', slot: SLOT.severityText, has: HAS.severityText },
    { name: 'SeverityNumber', slot: SLOT.severityNumber, has: 0 },
    { name: 'EventName', slot: SLOT.eventName, has: HAS.eventName },
    { name: 'Body', slot: SLOT.body, has: HAS.text | HAS.value },
  ]
  const names = new Set(fields.map(({ name }) => name))
  const prefixOf = { record: prefix, scope: 'Scope.', resource: 'Resource.' }
  return {
    nested: false,
    flattensBody: true,
    refuge: 'Attributes',
    own: (has) => fields.filter((field) => field.has === 0 || (field.has & has) !== 0),
    isFixed: (name) => names.has(name),
    places: ({ keys, inBody }: Leaf, layer) => [
      { name: (inBody ? 'Body.' : prefixOf[layer]) + keys.join('.'), rank: inBody ? 0 : 1 },
    ],
    scopeName: 'Scope.name',
    scopeVersion: 'Scope.version',
    emptyNames: true,
  }
}

/** The Collector's mapping mode `none`. */
export const NONE = plain('Attributes.')
/** Its mapping mode `raw`. */
export const RAW = plain('')
