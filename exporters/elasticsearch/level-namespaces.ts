import type { Route } from '../../src/logs/ndjson/control.ts'

/** The lowest severity number of each level: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
const LOWEST = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const

export type Level = keyof typeof LOWEST
export const LEVELS = Object.keys(LOWEST) as [Level, ...Level[]]

/** Sends records of a level, and of those above it, to a namespace of their own, so that they can be kept for another time. */
export class LevelNamespaces {
  /** Highest level first. */
  readonly #steps: readonly (readonly [lowest: number, namespace: string])[]

  constructor(namespaces: Readonly<Partial<Record<Level, string>>>) {
    this.#steps = LEVELS.flatMap((level) => {
      const namespace = namespaces[level]
      return namespace === undefined ? [] : [[LOWEST[level], namespace] as const]
    }).reverse()
  }

  /** Where a record goes; what an attribute asks for counts more. */
  routeOf(asked: Route, severity: number): Route {
    if (asked.namespace !== undefined) return asked
    const namespace = this.#steps.find(([lowest]) => severity >= lowest)?.[1]
    return namespace === undefined ? asked : { ...asked, namespace }
  }
}
