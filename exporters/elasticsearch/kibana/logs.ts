import { type Dashboard, dashboardObject } from './dashboard.ts'
import { type DataView, dataViewObject, delayField, logFormats } from './data-view.ts'
import { DATASET, type DashboardMode, isError, isSlow, LEVELS, LOG_FIELDS, type LogFields } from './fields.ts'
import { metricChart, tableChart, xyChart } from './lens.ts'
import { count, distinct, groups, maximum, overTime, percentile, share, top } from './lens-columns.ts'
import type { SavedObject } from './saved-object.ts'
import { type Search, searchObject } from './search.ts'

export interface LogObjectsOptions {
  readonly mode: DashboardMode
  readonly pattern: string
  readonly slowMs: number
  /** Makes the id of an object out of its name. */
  readonly id: (name: string) => string
}

const SERVICES = 10

/** The data view, searches and dashboard for documents of one mapping mode. */
export function logObjects(options: LogObjectsOptions): SavedObject[] {
  const { mode, pattern, id } = options
  const fields = LOG_FIELDS[mode]
  const searches = searchesOf(options, fields)
  const dataView: DataView = {
    id: id(mode),
    name: `Sluice: logs (${mode})`,
    pattern,
    formats: logFormats(fields, id(`${mode}-trace`)),
    runtime: delayField(fields),
  }
  return [
    dataViewObject(dataView),
    ...searches.map(searchObject),
    dashboardObject(dashboardOf(options, fields, searches[0])),
  ]
}

/** The errors first. */
function searchesOf({ mode, slowMs, id }: LogObjectsOptions, fields: LogFields): Search[] {
  const { service, level, text, trace, span, errorType, status, path, duration } = fields
  const dataViewId = id(mode)
  return [
    {
      id: id(`${mode}-errors`),
      title: `Sluice: errors (${mode})`,
      description: 'Records of severity ERROR and worse.',
      dataViewId,
      query: isError(fields),
      columns: [service, level, errorType, text, trace],
    },
    {
      id: id(`${mode}-slow`),
      title: `Sluice: slow requests (${mode})`,
      description: `Requests that took ${slowMs} ms or longer.`,
      dataViewId,
      query: isSlow(fields, slowMs),
      columns: [service, duration, status, path, text, trace],
    },
    {
      id: id(`${mode}-trace`),
      title: `Sluice: one trace (${mode})`,
      description: `Records that belong to a trace, in their order: ask for ${trace}: "…", or click on a trace id.`,
      dataViewId,
      query: `${trace}: *`,
      columns: [service, span, level, text],
      order: 'asc',
    },
  ]
}

function dashboardOf({ mode, slowMs, id }: LogObjectsOptions, fields: LogFields, errors: Search): Dashboard {
  const { service, errorType, path, duration, severity } = fields
  const dataViewId = id(mode)
  const chart = { dataViewId }
  const requests = { dataViewId, query: `${duration}: *` }
  const errorRate = share('rate', 'Error rate', isError(fields))
  const levels = Object.fromEntries(
    LEVELS.map(({ label, from, to }) => [label, `${severity} >= ${from} and ${severity} <= ${to}`]),
  )
  const number = { width: 12, height: 6 }
  const half = { width: 24, height: 12 }
  return {
    id: id(`${mode}-logs`),
    title: `Sluice: logs (${mode})`,
    description: `What services log and how they fare. Errors are records of severity ERROR and worse, slow requests those of ${slowMs} ms and longer.`,
    controls: [
      { field: service, title: 'Service', dataViewId },
      { field: DATASET, title: 'Dataset', dataViewId },
    ],
    panels: [
      { ...number, content: metricChart('Records', { ...chart, columns: count('records', 'Records') }) },
      { ...number, content: metricChart('Error rate', { ...chart, columns: errorRate }) },
      {
        ...number,
        content: metricChart('Slow requests', {
          ...chart,
          columns: count('slow', 'Slow requests', isSlow(fields, slowMs)),
        }),
      },
      {
        ...number,
        content: metricChart('Services', { ...chart, columns: distinct('services', 'Services', service) }),
      },
      {
        ...half,
        content: xyChart('Error rate by service', 'line', {
          ...chart,
          columns: { ...top(service, 'Service', SERVICES), ...overTime(), ...errorRate },
        }),
      },
      {
        ...half,
        content: xyChart('Records by level', 'bar_stacked', {
          ...chart,
          columns: { ...groups('Level', levels), ...overTime(), ...count('records', 'Records') },
        }),
      },
      {
        ...half,
        content: tableChart('Top services', {
          ...chart,
          columns: {
            ...top(service, 'Service', SERVICES, { by: 'records' }),
            ...count('records', 'Records'),
            ...count('errors', 'Errors', isError(fields)),
            ...errorRate,
            ...percentile(95, duration),
          },
        }),
      },
      {
        ...half,
        content: xyChart('Top error types', 'bar_horizontal', {
          ...chart,
          query: isError(fields),
          columns: {
            ...top(errorType, 'Error type', 10, { by: 'errors', others: true }),
            ...count('errors', 'Errors'),
          },
        }),
      },
      {
        ...half,
        content: xyChart('Duration of requests', 'line', {
          ...requests,
          columns: {
            ...overTime(),
            ...percentile(50, duration),
            ...percentile(95, duration),
            ...percentile(99, duration),
          },
        }),
      },
      {
        ...half,
        content: tableChart('Slowest paths', {
          dataViewId,
          query: isSlow(fields, slowMs),
          columns: {
            ...top(path, 'Path', 10, { by: 'slow' }),
            ...count('slow', 'Slow requests'),
            ...percentile(95, duration),
            ...maximum('Slowest', duration),
          },
        }),
      },
      { width: 48, height: 18, content: { title: 'Errors', searchId: errors.id } },
    ],
  }
}
