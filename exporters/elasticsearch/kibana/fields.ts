/** The mapping modes whose documents have a dashboard. */
export const DASHBOARD_MODES = ['otel', 'ecs'] as const

export type DashboardMode = (typeof DASHBOARD_MODES)[number]

/** Where the documents of a mode keep what the dashboards show. */
export interface LogFields {
  readonly observed: string
  readonly level: string
  /** The number of OTLP: 17 and more are errors in every language. */
  readonly severity: string
  readonly service: string
  readonly text: string
  readonly trace: string
  readonly span: string
  readonly errorType: string
  readonly status: string
  readonly path: string
  /** Nanoseconds, as ECS has them. */
  readonly duration: string
}

export const LOG_FIELDS: Readonly<Record<DashboardMode, LogFields>> = {
  otel: {
    observed: 'observed_timestamp',
    level: 'severity_text',
    severity: 'severity_number',
    service: 'resource.attributes.service.name',
    text: 'body.text',
    trace: 'trace_id',
    span: 'span_id',
    errorType: 'attributes.exception.type',
    status: 'attributes.http.response.status_code',
    path: 'attributes.url.path',
    duration: 'attributes.event.duration',
  },
  ecs: {
    observed: 'event.created',
    level: 'log.level',
    severity: 'event.severity',
    service: 'service.name',
    text: 'message',
    trace: 'trace.id',
    span: 'span.id',
    errorType: 'error.type',
    status: 'http.response.status_code',
    path: 'url.path',
    duration: 'event.duration',
  },
}

export const TIME = '@timestamp'
export const DATASET = 'data_stream.dataset'
/** Set by ingest pipelines that note the time of indexing. */
export const INGESTED = 'event.ingested'
/** Computed by the data view: milliseconds from a record's own time to the last time that its document knows. */
export const DELAY = 'sluice_delay_ms'

/** OTLP's ranges of severity numbers, the worst first. */
export const LEVELS = [
  { label: 'Fatal', from: 21, to: 24 },
  { label: 'Error', from: 17, to: 20 },
  { label: 'Warning', from: 13, to: 16 },
  { label: 'Info', from: 9, to: 12 },
  { label: 'Debug', from: 5, to: 8 },
  { label: 'Trace', from: 1, to: 4 },
] as const

/** KQL for records that are errors. */
export const isError = ({ severity }: LogFields): string => `${severity} >= 17`

/** KQL for requests that took this long or longer. */
export const isSlow = ({ duration }: LogFields, slowMs: number): string =>
  `${duration} >= ${Math.round(slowMs * 1e6)}`

/** Where documents of dead letters keep why they were refused, and what they were to be. */
export const DEAD_LETTER = {
  reason: 'reason',
  errorType: 'error.type',
  field: 'error.field',
  target: 'target.index',
  service: 'service.name',
  pipeline: 'pipeline',
} as const
