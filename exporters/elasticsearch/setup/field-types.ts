import type { Json } from './request.ts'

interface FieldType extends Json {
  readonly type: string
}

/** What a field is for. */
export type FieldUse = 'text' | 'constant' | 'nanoseconds' | 'json' | 'attributes'

/** A mapping for each use. */
export type Fields = Readonly<Record<FieldUse, FieldType>>

/** Types for each use, best first: servers lack some of them. */
export const CHOICES: Readonly<Record<FieldUse, readonly FieldType[]>> = {
  text: [{ type: 'match_only_text' }, { type: 'text', norms: false }],
  // OpenSearch has the first, and wants its value told.
  constant: [{ type: 'constant_keyword' }, { type: 'keyword', ignore_above: 1024 }],
  nanoseconds: [{ type: 'date_nanos' }, { type: 'date' }],
  json: [
    { type: 'flattened', ignore_above: 1024 },
    { type: 'flat_object' },
    { type: 'object', enabled: false },
  ],
  // Names with dots are no objects in any of them: `a` and `a.b` fit into one document.
  attributes: [
    { type: 'passthrough', dynamic: true, priority: 10 },
    { type: 'object', dynamic: true, subobjects: false },
    { type: 'object', dynamic: true, disable_objects: true },
    { type: 'flattened', ignore_above: 1024 },
    { type: 'flat_object' },
  ],
}

const OPENSEARCH: Fields = {
  text: CHOICES.text[0],
  constant: CHOICES.constant[1],
  nanoseconds: CHOICES.nanoseconds[0],
  json: CHOICES.json[1],
  attributes: CHOICES.attributes[2],
}

export function firstChoices(isOpenSearch: boolean): Fields {
  if (isOpenSearch) return OPENSEARCH
  const [text, constant, nanoseconds, json, attributes] = Object.values(CHOICES).map(([first]) => first)
  return { text, constant, nanoseconds, json, attributes }
}

/** What a server has instead of the types that would be best, for people. */
export function fallbacks(fields: Fields): string[] {
  return (Object.keys(CHOICES) as FieldUse[]).flatMap((use) => {
    const [best] = CHOICES[use]
    const taken = fields[use]
    return taken.type === best.type ? [] : [`the server has no ${best.type}: ${describe(taken)} instead`]
  })
}

function describe({ type, subobjects, disable_objects, enabled }: FieldType): string {
  if (subobjects === false) return `${type} without subobjects`
  if (disable_objects === true) return `${type} with disable_objects`
  return enabled === false ? `${type}, not searched` : type
}
