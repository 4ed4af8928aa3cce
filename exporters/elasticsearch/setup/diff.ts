import type { SetupDifference } from '../../../src/setup.ts'
import type { AssetKind } from './asset.ts'
import { type Json, textOf } from './request.ts'

/** What servers add to what they were given, by path, with its value where that matters. */
const ADDED: Readonly<Record<AssetKind, readonly (readonly [RegExp, string?])[]>> = {
  'component template': [[/^template\.lifecycle\.enabled$/, 'true']],
  'index template': [[/^data_stream\./]],
  'lifecycle policy': [
    [/\.min_age$/, '0ms'],
    [/\.delete_searchable_snapshot$/, 'true'],
    [/\.force_merge_index$/, 'true'],
  ],
  'ISM policy': [
    [/^policy\.(policy_id|last_updated_time|schema_version|error_notification|user)\b/],
    [/\.retry\.(count|backoff|delay)$/],
    [/\.copy_alias$/, 'false'],
    [/^policy\.ism_template\[\d+\]\.last_updated_time$/],
  ],
  'ingest pipeline': [],
  role: [[/^transient_metadata\./], [/\.allow_restricted_indices$/, 'false']],
}
const DATES = /^(created|modified)_date(_millis)?$/

/** The fields that are not as they should be, by name. */
export function differences(kind: AssetKind, existing: Json | undefined, wanted: Json): SetupDifference[] {
  const before = fieldsOf(kind, existing ?? {})
  const after = fieldsOf(kind, wanted)
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort()
    .map((path) => ({ path, before: before.get(path), after: after.get(path) }))
}

/** Every value by its path. Empty objects and lists, which servers add and leave out as they like, are none. */
function fieldsOf(kind: AssetKind, body: Json): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  flatten(withIndexPrefix(body), '', fields)
  for (const [path, value] of fields) {
    const isAdded = ADDED[kind].some(
      ([name, usual]) => name.test(path) && (usual === undefined || usual === value),
    )
    if (isAdded || DATES.test(path)) fields.delete(path)
  }
  return fields
}

function flatten(value: unknown, path: string, fields: Map<string, string>): void {
  if (Array.isArray(value)) {
    if (value.some((entry) => typeof entry === 'object')) {
      value.forEach((entry, at) => flatten(entry, `${path}[${at}]`, fields))
    } else if (value.length > 0) fields.set(path, value.map(String).join(', '))
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value))
      flatten(member, path === '' ? key : `${path}.${key}`, fields)
  } else if (value !== null && value !== undefined) fields.set(path, textOf(value))
}

/** Settings may be written with `index.` before them or without. */
function withIndexPrefix(body: Json): Json {
  const template = body.template as Json | undefined
  const settings = template?.settings as Json | undefined
  if (settings === undefined) return body
  const entries = Object.entries(settings).map(([key, value]) =>
    key === 'index' || key.startsWith('index.') ? [key, value] : [`index.${key}`, value],
  )
  return { ...body, template: { ...template, settings: Object.fromEntries(entries) as Json } }
}
