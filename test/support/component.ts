import { pino } from 'pino'
import type { HealthState, ServerContext } from '../../src/define.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

/** A context for a component under test, and what the component told it. */
export interface TestContext extends ServerContext {
  /** The value of a metric, summed over the label sets that contain `labels`. */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  /** Whether a metric has a series with these labels. */
  has(name: string, labels: Readonly<Record<string, string>>): Promise<boolean>
  readonly states: { readonly state: HealthState; readonly detail: string | undefined }[]
}

export function testContext(id = 'test'): TestContext {
  const metrics = new Metrics()
  const states: TestContext['states'] = []
  const series = async (name: string, labels: Readonly<Record<string, string>>) => {
    const all = await metrics.registry.getMetricsAsJSON()
    const values = all.find((metric) => metric.name === name)?.values ?? []
    return values.filter((entry) =>
      Object.entries(labels).every(([key, value]) => entry.labels[key] === value),
    )
  }
  return {
    id,
    log: pino({ level: 'silent' }),
    metrics: metrics.bind({}),
    health: (state, detail) => {
      states.push({ state, detail })
    },
    authenticator: (name) => {
      throw new Error(`no authenticator "${name}"`)
    },
    states,
    value: async (name, labels = {}) =>
      (await series(name, labels)).reduce((sum, { value }) => sum + value, 0),
    has: async (name, labels) => (await series(name, labels)).length > 0,
  }
}

export const never: AbortSignal = new AbortController().signal
