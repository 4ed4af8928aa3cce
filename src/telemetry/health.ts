import type { ComponentStatus, HealthState, ServiceStatus } from '../define.ts'

/** From best to worst: the service is as well as its worst component. */
const ORDER: readonly HealthState[] = ['ok', 'degraded', 'starting', 'stopping', 'failed']

/** The worst of these states; `ok` for none. */
export function worstOf(states: Iterable<HealthState>): HealthState {
  return ORDER[Math.max(0, ...[...states].map((state) => ORDER.indexOf(state)))]
}

/** What each component last said of itself. */
export class Health {
  readonly #components = new Map<string, ComponentStatus>()
  readonly #startedAt = performance.now()
  /** The service's own state, `starting` until everything has started. */
  own: HealthState = 'starting'

  set(id: string, state: HealthState, detail?: string): void {
    this.#components.set(id, detail === undefined ? { state } : { state, detail })
  }

  status(): ServiceStatus {
    return {
      state: worstOf([this.own, ...[...this.#components.values()].map(({ state }) => state)]),
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      components: Object.fromEntries(this.#components),
    }
  }
}
