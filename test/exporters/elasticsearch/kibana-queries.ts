import type { LensAttributes } from '../../../exporters/elasticsearch/kibana/lens.ts'
import type { LensColumn } from '../../../exporters/elasticsearch/kibana/lens-columns.ts'
import type { SavedObject } from '../../../exporters/elasticsearch/kibana/saved-object.ts'

/** What Kibana keeps as text inside of its objects. */
export interface PanelJson {
  readonly type: string
  readonly title: string
  readonly panelIndex: string
  readonly panelRefName?: string
  readonly gridData: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly embeddableConfig: { readonly attributes?: LensAttributes }
}

export interface SearchSource {
  readonly query: { readonly query: string }
  readonly indexRefName: string
}

export function jsonOf<T>(object: SavedObject, attribute: string): T {
  return JSON.parse(object.attributes[attribute] as string) as T
}

export const panelsOf = (dashboard: SavedObject): PanelJson[] => jsonOf<PanelJson[]>(dashboard, 'panelsJSON')

export function searchSourceOf({ attributes }: SavedObject): SearchSource {
  const meta = attributes.kibanaSavedObjectMeta as { readonly searchSourceJSON: string }
  return JSON.parse(meta.searchSourceJSON) as SearchSource
}

interface Layer {
  readonly columns: Readonly<Record<string, LensColumn>>
  readonly columnOrder: readonly string[]
}

interface LensState {
  readonly query: { readonly query: string }
  readonly datasourceStates: { readonly formBased: { readonly layers: Readonly<Record<string, Layer>> } }
}

/** The one layer that our charts have, and the KQL for all of it. */
export function layerOf({ state }: LensAttributes): Layer & { readonly kql: string } {
  const { query, datasourceStates } = state as unknown as LensState
  return { ...Object.values(datasourceStates.formBased.layers)[0], kql: query.query }
}

const COMPARISON = /^(?<field>[\w.@]+) *(?<operator>:|>=|<=) *(?<value>\*|"[^"]*"|[\w.-]+)$/
const RANGES: Readonly<Record<string, string>> = { '>=': 'gte', '<=': 'lte' }

/** The comparisons of the KQL that our objects use: some of them, joined by `and`. Throws on anything else. */
export function comparisons(kql: string): { field: string; operator: string; value: string }[] {
  if (kql === '') return []
  return kql.split(' and ').map((text) => {
    const groups = COMPARISON.exec(text)?.groups
    if (groups === undefined) throw new Error(`not understood: ${text}`)
    return { field: groups.field, operator: groups.operator, value: groups.value }
  })
}

/** KQL as a query of Elasticsearch. */
export function queryOf(kql: string): object {
  const filter = comparisons(kql).map(({ field, operator, value }) => {
    if (operator !== ':') return { range: { [field]: { [RANGES[operator]]: Number(value) } } }
    if (value === '*') return { exists: { field } }
    return { match_phrase: { [field]: value.replaceAll('"', '') } }
  })
  return { bool: { filter } }
}

/** The aggregations that a chart stands for: buckets inside of each other, and the values within. */
export function aggregationsOf(chart: LensAttributes): object {
  const { columns, columnOrder } = layerOf(chart)
  const isBucket = (id: string): boolean => columns[id].isBucketed
  const values = columnOrder
    .filter((id) => !isBucket(id))
    .flatMap((id) => Object.entries(metricOf(id, columns[id])))
  return columnOrder.filter(isBucket).reduceRight<object>(
    (aggs, id) => ({
      [id]: { ...bucketOf(columns[id]), aggs: { ...aggs, ...orderOf(columns[id], columns) } },
    }),
    Object.fromEntries(values),
  )
}

function bucketOf({ operationType, sourceField: field, params = {} }: LensColumn): object {
  switch (operationType) {
    case 'terms':
      return { terms: { field, size: params.size, order: { [ORDER]: params.orderDirection } } }
    case 'date_histogram':
      return { date_histogram: { field, fixed_interval: '1h', min_doc_count: 1 } }
    case 'filters': {
      const filters = params.filters as {
        readonly label: string
        readonly input: { readonly query: string }
      }[]
      return {
        filters: {
          filters: Object.fromEntries(filters.map(({ label, input }) => [label, queryOf(input.query)])),
        },
      }
    }
    default:
      throw new Error(`no bucket: ${operationType}`)
  }
}

const ORDER = 'order'
const RECORDS = '___records___'

/** As Kibana does, what terms go by is asked for at their level, wherever else it is. */
function orderOf({ params = {} }: LensColumn, columns: Readonly<Record<string, LensColumn>>): object {
  const { orderBy, orderAgg } = params as { readonly orderBy?: OrderBy; readonly orderAgg?: LensColumn }
  if (orderBy === undefined) return {}
  const column = orderBy.type === 'column' ? columns[orderBy.columnId] : orderAgg
  if (column === undefined) throw new Error('terms go by nothing')
  return metricOf(ORDER, column)
}

interface OrderBy {
  readonly type: string
  readonly columnId: string
}

/** Nothing for what is reckoned from other columns. */
function metricOf(
  id: string,
  { operationType, sourceField: field, filter, params = {} }: LensColumn,
): object {
  switch (operationType) {
    case 'count':
      if (field !== RECORDS) return { [id]: { value_count: { field } } }
      return { [id]: { filter: queryOf(filter?.query ?? '') } }
    case 'unique_count':
      return { [id]: { cardinality: { field } } }
    case 'percentile':
      return { [id]: { percentiles: { field, percents: [params.percentile] } } }
    case 'max':
      return { [id]: { max: { field } } }
    case 'math':
    case 'formula':
      return {}
    default:
      throw new Error(`no metric: ${operationType}`)
  }
}

/** One row of what a chart shows, by column. */
export type Row = Readonly<Record<string, string | number | null>>

interface Aggregation {
  readonly buckets?: readonly Bucket[] | Readonly<Record<string, Bucket>>
  readonly doc_count?: number
  readonly value?: number | null
  readonly values?: Readonly<Record<string, number | null>>
}
type Bucket = { readonly key?: string | number; readonly doc_count: number } & Readonly<
  Record<string, unknown>
>

/** The rows that Elasticsearch's answer makes, formulas reckoned. Buckets without records are left out. */
export function rowsOf(chart: LensAttributes, aggregations: Readonly<Record<string, unknown>>): Row[] {
  const { columns, columnOrder } = layerOf(chart)
  const buckets = columnOrder.filter((id) => columns[id].isBucketed)
  const metrics = columnOrder.filter((id) => !columns[id].isBucketed)

  const walk = (depth: number, level: Readonly<Record<string, unknown>>, row: Row): Row[] => {
    if (depth === buckets.length) {
      return [metrics.reduce((all, id) => ({ ...all, [id]: valueOf(columns[id], level[id], all) }), row)]
    }
    const id = buckets[depth]
    const found = (level[id] as Aggregation).buckets ?? []
    const list = Array.isArray(found)
      ? (found as Bucket[])
      : Object.entries(found).map(([key, bucket]) => ({ ...(bucket as Bucket), key }))
    return list
      .filter(({ doc_count }) => doc_count > 0)
      .flatMap((bucket) => walk(depth + 1, bucket, { ...row, [id]: bucket.key ?? null }))
  }
  // Parts of a formula come before it in our layers.
  return walk(0, aggregations, {})
}

interface MathAst {
  readonly name: string
  readonly args: readonly string[]
}

function valueOf(
  { operationType, params, references = [] }: LensColumn,
  found: unknown,
  row: Row,
): number | null {
  const { doc_count, value, values } = (found ?? {}) as Aggregation
  switch (operationType) {
    case 'count':
      return doc_count ?? null
    case 'percentile':
      return Object.values(values ?? {})[0] ?? null
    case 'math': {
      const { name, args } = (params ?? {}).tinymathAst as MathAst
      if (name !== 'divide') throw new Error(`not understood: ${name}`)
      return Number(row[args[0]]) / Number(row[args[1]])
    }
    case 'formula':
      return row[references[0]] as number | null
    default:
      return value ?? null
  }
}
