import type { HealthState, ServiceStatus } from '../define.ts'

/** From best to worst: the service is as well as its worst component. */
const ORDER: readonly HealthState[] = ['ok', 'degraded', 'starting', 'stopping', 'failed']

/** What each component last said of itself. */
export class Health {
  readonly #components = new Map<string, { readonly state: HealthState; readonly detail?: string }>()
  readonly #startedAt = performance.now()
  /** The service's own state, `starting` until everything has started. */
  own: HealthState = 'starting'

  set(id: string, state: HealthState, detail?: string): void {
    this.#components.set(id, detail === undefined ? { state } : { state, detail })
  }

  status(): ServiceStatus {
    const states = [this.own, ...[...this.#components.values()].map(({ state }) => state)]
    const worst = states.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a))
    return {
      state: worst,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      components: Object.fromEntries(this.#components),
    }
  }
}
