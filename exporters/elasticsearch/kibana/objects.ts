import { DASHBOARD_MODES, type DashboardMode } from './fields.ts'
import { healthObjects } from './health.ts'
import { logObjects } from './logs.ts'
import type { SavedObject } from './saved-object.ts'

export interface KibanaOptions {
  /** The mapping modes in use; both when absent. */
  readonly modes?: readonly DashboardMode[]
  /** Index patterns, where documents do not lie in the data streams that Sluice writes to. */
  readonly patterns?: Partial<Record<DashboardMode | 'deadLetters', string>>
  /** Requests that take so many milliseconds or longer are slow; 1000 when absent. */
  readonly slowMs?: number
  /** The space they go to. Kibana knows an id once, in all its spaces. */
  readonly space?: string
}

const LETTERS = 'logs-sluice.dlq-*'
const PATTERNS = {
  otel: 'logs-*.otel-*',
  ecs: `logs-*,-logs-*.otel-*,-${LETTERS}`,
  deadLetters: LETTERS,
} as const

/**
 * The data views, saved searches and dashboards of Sluice. The same options always make the same objects with the same
 * ids, so that importing them again replaces them.
 */
export function kibanaObjects(options: KibanaOptions = {}): SavedObject[] {
  const { modes = DASHBOARD_MODES, slowMs = 1000, space } = options
  const patterns = { ...PATTERNS, ...options.patterns }
  const prefix = space === undefined || space === 'default' ? 'sluice' : `sluice-${space}`
  const id = (name: string): string => `${prefix}-${name}`
  return [
    ...modes.flatMap((mode) => logObjects({ mode, pattern: patterns[mode], slowMs, id })),
    ...healthObjects({ modes, pattern: patterns.deadLetters, id }),
  ]
}
