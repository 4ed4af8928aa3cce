import type { LensColumns } from './lens-columns.ts'
import type { Reference } from './saved-object.ts'

/** What a Lens chart shows: columns of one data view. */
export interface Chart {
  readonly dataViewId: string
  /** KQL; everything when absent. */
  readonly query?: string
  /** Buckets first, the outer one before the inner. */
  readonly columns: LensColumns
}

/** A chart as a dashboard holds it. */
export interface LensAttributes {
  readonly title: string
  readonly type: 'lens'
  readonly visualizationType: 'lnsMetric' | 'lnsXY' | 'lnsDatatable'
  readonly state: Readonly<Record<string, unknown>>
  readonly references: readonly Reference[]
}

const LAYER = 'layer'
const VISIBLE = { x: true, yLeft: true, yRight: true }

/** One number. */
export function metricChart(title: string, chart: Chart): LensAttributes {
  return lens(title, 'lnsMetric', chart, {
    layerId: LAYER,
    layerType: 'data',
    metricAccessor: values(chart)[0],
  })
}

/** The first bucket is the axis, another one the colours. */
export function xyChart(
  title: string,
  series: 'line' | 'bar_stacked' | 'bar_horizontal',
  chart: Chart,
): LensAttributes {
  const buckets = columnsOf(chart).filter(([, { isBucketed }]) => isBucketed)
  const axis = buckets.find(([, { dataType }]) => dataType === 'date') ?? buckets[0]
  const split = buckets.find((bucket) => bucket !== axis)
  return lens(title, 'lnsXY', chart, {
    legend: { isVisible: true, position: 'right' },
    valueLabels: 'hide',
    fittingFunction: series === 'line' ? 'Linear' : 'None',
    axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
    tickLabelsVisibilitySettings: VISIBLE,
    gridlinesVisibilitySettings: VISIBLE,
    preferredSeriesType: series,
    layers: [
      {
        layerId: LAYER,
        layerType: 'data',
        seriesType: series,
        xAccessor: axis[0],
        ...(split && { splitAccessor: split[0] }),
        accessors: values(chart),
      },
    ],
  })
}

/** One row for each value of the first column. */
export function tableChart(title: string, chart: Chart): LensAttributes {
  const buckets = columnsOf(chart).filter(([, { isBucketed }]) => isBucketed)
  return lens(title, 'lnsDatatable', chart, {
    layerId: LAYER,
    layerType: 'data',
    columns: [...buckets.map(([id]) => id), ...values(chart)].map((columnId) => ({ columnId })),
  })
}

function lens(
  title: string,
  visualizationType: LensAttributes['visualizationType'],
  { dataViewId, query = '', columns }: Chart,
  visualization: Readonly<Record<string, unknown>>,
): LensAttributes {
  return {
    title,
    type: 'lens',
    visualizationType,
    state: {
      visualization,
      query: { query, language: 'kuery' },
      filters: [],
      datasourceStates: {
        formBased: {
          layers: { [LAYER]: { columns, columnOrder: Object.keys(columns), incompleteColumns: {} } },
        },
        textBased: { layers: {} },
      },
      internalReferences: [],
      adHocDataViews: {},
    },
    references: [{ type: 'index-pattern', id: dataViewId, name: `indexpattern-datasource-layer-${LAYER}` }],
  }
}

const columnsOf = ({ columns }: Chart) => Object.entries(columns)

/** The columns to be shown as values: those that are no part of a formula. */
function values(chart: Chart): string[] {
  const all = columnsOf(chart)
  const parts = new Set(all.flatMap(([, { references = [] }]) => references))
  return all.filter(([id, { isBucketed }]) => !isBucketed && !parts.has(id)).map(([id]) => id)
}
