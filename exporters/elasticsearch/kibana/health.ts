import { dashboardObject, type Panel } from './dashboard.ts'
import { dataViewObject } from './data-view.ts'
import { DATASET, type DashboardMode, DEAD_LETTER, DELAY } from './fields.ts'
import { metricChart, tableChart, xyChart } from './lens.ts'
import { count, maximum, overTime, percentile, top } from './lens-columns.ts'
import type { SavedObject } from './saved-object.ts'
import { searchObject } from './search.ts'

export interface HealthObjectsOptions {
  readonly modes: readonly DashboardMode[]
  /** Of the dead letters. */
  readonly pattern: string
  /** Makes the id of an object out of its name; that of a mode is its data view's. */
  readonly id: (name: string) => string
}

/**
 * What the documents themselves tell about the way they took: how late they are, how many come, and what was refused.
 * The rest is in the metrics of the processes.
 */
export function healthObjects({ modes, pattern, id }: HealthObjectsOptions): SavedObject[] {
  const letters = id('dead-letters')
  const { reason, errorType, field, target, service, pipeline } = DEAD_LETTER
  const number = { width: 48 / (modes.length + 1), height: 6 }
  const half = { width: 24, height: 12 }
  const delays = modes.map((mode): Panel => {
    const columns = {
      ...overTime(),
      ...percentile(50, DELAY),
      ...percentile(95, DELAY),
      ...maximum('max', DELAY),
    }
    return { ...half, content: xyChart(`Delay (${mode})`, 'line', { dataViewId: id(mode), columns }) }
  })
  const volumes = modes.map((mode): Panel => {
    const columns = {
      ...top(DATASET, 'Dataset', 10, { by: 'records', others: true }),
      ...overTime(),
      ...count('records', 'Records'),
    }
    return {
      ...half,
      content: xyChart(`Records by dataset (${mode})`, 'bar_stacked', { dataViewId: id(mode), columns }),
    }
  })
  return [
    dataViewObject({ id: letters, name: 'Sluice: dead letters', pattern }),
    searchObject({
      id: id('dead-letters-search'),
      title: 'Sluice: dead letters',
      description: 'Records that Elasticsearch refused for good. `sluice dlq replay` sends them again.',
      dataViewId: letters,
      query: '',
      columns: [service, reason, field, target, pipeline],
    }),
    dashboardObject({
      id: id('health'),
      title: 'Sluice: pipeline health',
      description:
        'Delay is the time from a record to its indexing where an ingest pipeline sets event.ingested, else to when it was observed.',
      controls: modes.map((mode) => ({ field: DATASET, title: `Dataset (${mode})`, dataViewId: id(mode) })),
      panels: [
        ...modes.map((mode): Panel => {
          const columns = percentile(95, DELAY)
          return {
            ...number,
            content: metricChart(`Delay, p95 (${mode})`, { dataViewId: id(mode), columns }),
          }
        }),
        {
          ...number,
          content: metricChart('Dead letters', {
            dataViewId: letters,
            columns: count('letters', 'Dead letters'),
          }),
        },
        ...delays,
        ...volumes,
        {
          ...half,
          content: xyChart('Dead letters by error', 'bar_stacked', {
            dataViewId: letters,
            columns: {
              ...top(errorType, 'Error', 10, { by: 'letters', others: true }),
              ...overTime(),
              ...count('letters', 'Dead letters'),
            },
          }),
        },
        {
          ...half,
          content: tableChart('Reasons of dead letters', {
            dataViewId: letters,
            columns: { ...top(reason, 'Reason', 20, { by: 'letters' }), ...count('letters', 'Dead letters') },
          }),
        },
        { width: 48, height: 15, content: { title: 'Dead letters', searchId: id('dead-letters-search') } },
      ],
    }),
  ]
}
