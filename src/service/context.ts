import type { Logger } from 'pino'
import type { Authenticator } from '../component.ts'
import type { Kind } from '../config/schema.ts'
import type { ServerContext } from '../define.ts'
import type { Health } from '../telemetry/health.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Where the components of a process log, count, and say how they are. */
export interface Surroundings {
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly authenticators: ReadonlyMap<string, Authenticator>
}

/** What one component is given of its surroundings. */
export function contextOf(surroundings: Surroundings, kind: Kind, id: string): ServerContext {
  const { log, metrics, health, authenticators } = surroundings
  return {
    id,
    log: log.child({ [kind]: id }),
    metrics: metrics.bind({ [kind]: id }),
    health: (state, detail) => health.set(`${kind}/${id}`, state, detail),
    authenticator: (name) => known(authenticators, name),
  }
}

/** What a checked config names is there. */
export function known<V>(map: ReadonlyMap<string, V>, id: string): V {
  const value = map.get(id)
  if (value === undefined) throw new Error(`"${id}" was not checked to exist`)
  return value
}
