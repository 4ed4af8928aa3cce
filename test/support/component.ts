import { pino } from 'pino'
import type { ComponentContext, HealthState } from '../../src/define.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

/** A context for a component under test, and what the component told it. */
export interface TestContext extends ComponentContext {
  /** The value of a metric, summed over the label sets that contain `labels`. */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  readonly states: { readonly state: HealthState; readonly detail: string | undefined }[]
}

export function testContext(id = 'test'): TestContext {
  const metrics = new Metrics()
  const states: TestContext['states'] = []
  return {
    id,
    log: pino({ level: 'silent' }),
    metrics: metrics.bind({}),
    health: (state, detail) => {
      states.push({ state, detail })
    },
    states,
    async value(name, labels = {}) {
      const all = await metrics.registry.getMetricsAsJSON()
      const values = all.find((metric) => metric.name === name)?.values ?? []
      return values
        .filter((entry) => Object.entries(labels).every(([key, value]) => entry.labels[key] === value))
        .reduce((sum, entry) => sum + entry.value, 0)
    },
  }
}

export const never: AbortSignal = new AbortController().signal
