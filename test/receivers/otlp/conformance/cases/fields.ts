import type { RequestInit } from '../../../../oracle/oracle.ts'
import { ALL, type Exchange, type Group } from '../case.ts'

type ResourceLogs = NonNullable<RequestInit['resourceLogs']>[number]
type ScopeLogs = NonNullable<NonNullable<ResourceLogs['scopeLogs']>>[number]
type Record = NonNullable<NonNullable<ScopeLogs['logRecords']>>[number]

const text = (value: string) => ({ value: { case: 'stringValue', value } }) as const
const attributes = [{ key: 'k', value: text('v') }]
const record = (logRecord: Record): ResourceLogs => ({ scopeLogs: [{ logRecords: [logRecord] }] })
const scope = (scopeLogs: ScopeLogs): ResourceLogs => ({
  scopeLogs: [{ logRecords: [{ flags: 1 }], ...scopeLogs }],
})
const resource = (resourceLogs: ResourceLogs): ResourceLogs => ({
  scopeLogs: [{ logRecords: [{ flags: 1 }] }],
  ...resourceLogs,
})

const FIELDS: readonly (readonly [string, ...ResourceLogs[]])[] = [
  ['time_unix_nano', record({ timeUnixNano: 1_700_000_000_123_456_789n })],
  ['the largest time_unix_nano', record({ timeUnixNano: 2n ** 64n - 1n })],
  ['observed_time_unix_nano', record({ observedTimeUnixNano: 1_700_000_000_123_456_789n })],
  ['every severity_number', { scopeLogs: [{ logRecords: severities() }] }],
  ['a severity_number that has no name', record({ severityNumber: 99 as 24 })],
  ['severity_text', record({ severityText: 'Advertencia ⚠' })],
  ['a record without a body', record({ severityText: 'x' })],
  ['an empty record', record({})],
  [
    'attributes in their order',
    record({ attributes: ['z', 'a', 'm'].map((key) => ({ key, value: text(key) })) }),
  ],
  [
    'an attribute that is there twice',
    record({ attributes: [...attributes, { key: 'k', value: text('w') }] }),
  ],
  [
    '1,000 attributes',
    record({ attributes: Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}`, value: text('') })) }),
  ],
  ['dropped_attributes_count of a record', record({ droppedAttributesCount: 2 ** 32 - 1 })],
  ['trace flags', record({ flags: 1 })],
  ['all 32 bits of flags', record({ flags: 2 ** 32 - 1 })],
  ['trace_id and span_id', record({ traceId: id(16), spanId: id(8) })],
  ['trace_id alone', record({ traceId: id(16) })],
  ['event_name', record({ eventName: 'device.app.lifecycle' })],
  ['name and version of a scope', scope({ scope: { name: 'lib', version: '1.2.3-β' } })],
  ['attributes of a scope', scope({ scope: { attributes, droppedAttributesCount: 3 } })],
  ['schema_url of a scope', scope({ schemaUrl: 'https://opentelemetry.io/schemas/1.37.0' })],
  ['attributes of a resource', resource({ resource: { attributes, droppedAttributesCount: 3 } })],
  ['schema_url of a resource', resource({ schemaUrl: 'https://opentelemetry.io/schemas/1.37.0' })],
  [
    'entity_refs of a resource',
    resource({
      resource: {
        attributes,
        entityRefs: [{ type: 'service', idKeys: ['k'], descriptionKeys: ['d'], schemaUrl: 's' }],
      },
    }),
  ],
  ['records without a resource and a scope', { scopeLogs: [{ logRecords: [{ flags: 1 }] }] }],
  [
    'several resources and scopes in their order',
    { resource: { attributes }, scopeLogs: [scoped('a', 2), scoped('b', 1)] },
    { scopeLogs: [scoped('c', 3), scoped('a', 1)] },
  ],
  ['a resource without records beside one with', { resource: { attributes } }, record({ flags: 1 })],
  [
    'a scope without records beside one with',
    { scopeLogs: [{ scope: { name: 'a' } }, { logRecords: [{ flags: 1 }] }] },
  ],
  [
    '10,000 records',
    { scopeLogs: [{ logRecords: Array.from({ length: 10_000 }, (_, flags) => ({ flags })) }] },
  ],
]

function severities(): Record[] {
  return Array.from({ length: 25 }, (_, severityNumber) => ({ severityNumber: severityNumber as 24 }))
}

function id(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at * 17)
}

function scoped(name: string, records: number): ScopeLogs {
  return { scope: { name }, logRecords: Array.from({ length: records }, (_, flags) => ({ flags })) }
}

export const fields: Group = {
  title: 'Fields',
  cases: FIELDS.map(
    ([name, ...resourceLogs]): Exchange => ({
      name: `${name}: arrives as it was sent`,
      section: 'record',
      over: ALL,
      send: { request: { resourceLogs } },
      answer: { ok: true },
    }),
  ),
}
