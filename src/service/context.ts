import type { Logger } from 'pino'
import type { Kind } from '../config/schema.ts'
import type { ComponentContext } from '../define.ts'
import type { Health } from '../telemetry/health.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Where the components of a process log, count, and say how they are. */
export interface Surroundings {
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
}

/** What one component is given of its surroundings. */
export function contextOf({ log, metrics, health }: Surroundings, kind: Kind, id: string): ComponentContext {
  return {
    id,
    log: log.child({ [kind]: id }),
    metrics: metrics.bind({ [kind]: id }),
    health: (state, detail) => health.set(`${kind}/${id}`, state, detail),
  }
}
