import { TIME } from './fields.ts'

/** A column of a Lens layer, as Kibana keeps it. */
export interface LensColumn {
  readonly label: string
  readonly customLabel: true
  readonly dataType: 'date' | 'string' | 'number'
  readonly operationType: string
  readonly isBucketed: boolean
  readonly scale: 'interval' | 'ordinal' | 'ratio'
  readonly sourceField?: string
  readonly filter?: Kql
  readonly params?: Readonly<Record<string, unknown>>
  readonly references?: readonly string[]
}

interface Kql {
  readonly query: string
  readonly language: 'kuery'
}

/** The columns that stand for one thing on a chart: a formula is kept with its parts. */
export type LensColumns = Readonly<Record<string, LensColumn>>

const RECORDS = '___records___'
const kql = (query: string): Kql => ({ query, language: 'kuery' })

/** One bucket for each interval, as wide as the time range asks for. */
export function overTime(): LensColumns {
  return {
    time: {
      label: TIME,
      customLabel: true,
      dataType: 'date',
      operationType: 'date_histogram',
      sourceField: TIME,
      isBucketed: true,
      scale: 'interval',
      params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
    },
  }
}

interface TopOptions {
  /** The column to go by; the number of records when absent. */
  readonly by?: string
  /** Whether all other values are shown as one. */
  readonly others?: boolean
}

/** The greatest values of a field. */
export function top(
  field: string,
  label: string,
  size: number,
  { by, others = false }: TopOptions = {},
): LensColumns {
  return {
    top: {
      label,
      customLabel: true,
      dataType: 'string',
      operationType: 'terms',
      sourceField: field,
      isBucketed: true,
      scale: 'ordinal',
      params: {
        size,
        ...(by === undefined ? BY_RECORDS : { orderBy: { type: 'column', columnId: by } }),
        orderDirection: 'desc',
        otherBucket: others,
        missingBucket: false,
        parentFormat: { id: 'terms' },
      },
    },
  }
}

/** Formulas cannot be gone by. */
const BY_RECORDS = {
  orderBy: { type: 'custom' },
  orderAgg: {
    label: `Count of ${TIME}`,
    dataType: 'number',
    operationType: 'count',
    isBucketed: false,
    scale: 'ratio',
    sourceField: TIME,
  },
}

/** One bucket for each KQL query, by label. */
export function groups(label: string, queries: Readonly<Record<string, string>>): LensColumns {
  return {
    group: {
      label,
      customLabel: true,
      dataType: 'string',
      operationType: 'filters',
      isBucketed: true,
      scale: 'ordinal',
      params: {
        filters: Object.entries(queries).map(([name, query]) => ({ label: name, input: kql(query) })),
      },
    },
  }
}

/** Records; with a query, those that it finds. */
export function count(id: string, label: string, query?: string): LensColumns {
  return {
    [id]: {
      label,
      customLabel: true,
      dataType: 'number',
      operationType: 'count',
      sourceField: RECORDS,
      isBucketed: false,
      scale: 'ratio',
      ...(query !== undefined && { filter: kql(query) }),
      params: { emptyAsNull: false },
    },
  }
}

/** How many different values a field has. */
export function distinct(id: string, label: string, field: string): LensColumns {
  return {
    [id]: {
      label,
      customLabel: true,
      dataType: 'number',
      operationType: 'unique_count',
      sourceField: field,
      isBucketed: false,
      scale: 'ratio',
      params: { emptyAsNull: false },
    },
  }
}

/** `percentile(95, …)` as column `p95`. */
export function percentile(percent: number, field: string): LensColumns {
  return {
    [`p${percent}`]: {
      label: `p${percent}`,
      customLabel: true,
      dataType: 'number',
      operationType: 'percentile',
      sourceField: field,
      isBucketed: false,
      scale: 'ratio',
      params: { percentile: percent },
    },
  }
}

export function maximum(label: string, field: string): LensColumns {
  return {
    max: {
      label,
      customLabel: true,
      dataType: 'number',
      operationType: 'max',
      sourceField: field,
      isBucketed: false,
      scale: 'ratio',
      params: { emptyAsNull: true },
    },
  }
}

/** The share of records that a query finds, in percent: a formula, with its two counts and their quotient. */
export function share(id: string, label: string, query: string): LensColumns {
  const formula = `count(kql='${query.replaceAll("'", String.raw`\'`)}') / count()`
  const part = `Part of ${formula}`
  const [found, all, quotient] = [`${id}X0`, `${id}X1`, `${id}X2`]
  const number = { customLabel: true, dataType: 'number', isBucketed: false, scale: 'ratio' } as const
  return {
    ...count(found, part, query),
    ...count(all, part),
    [quotient]: {
      ...number,
      label: part,
      operationType: 'math',
      params: {
        tinymathAst: {
          type: 'function',
          name: 'divide',
          args: [found, all],
          location: { min: 0, max: formula.length },
          text: formula,
        },
      },
      references: [found, all],
    },
    [id]: {
      ...number,
      label,
      operationType: 'formula',
      params: { formula, isFormulaBroken: false, format: { id: 'percent', params: { decimals: 2 } } },
      references: [quotient],
    },
  }
}
