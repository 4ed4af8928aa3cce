import { levelOf, type Threshold, thresholdOf } from './levels.ts'

/** A level, and when it was set among all, 0 being from the beginning: of two the later counts. */
export interface SetLevel {
  readonly threshold: number
  readonly order: number
}

/** Counts every change, so that a logger sees with one comparison whether its level may be another. */
let changes = 0
const rules = new Map<string, SetLevel>()

/** The number of changes so far. */
export const levelChanges = (): number => changes

/** A level that is set now. */
export function setNow(threshold: number): SetLevel {
  return { threshold, order: ++changes }
}

/**
 * Sets the level of all loggers of a name, those that exist and those to come: `shop` is also that of `shop.db` and
 * `shop.db.pool`, unless these have one of their own; `*` is that of all. It counts more than the levels that loggers
 * are created with; of it and `log.level = …` the later counts. What is no level is ignored, and answered with false.
 *
 * @example
 * ```ts
 * setLevel('shop.db', 'debug')
 * setLevel('shop.db', undefined) // back to what the code says
 * ```
 */
export function setLevel(name: string, level: Threshold | undefined): boolean {
  if (level === undefined) {
    changes++
    return rules.delete(name)
  }
  const threshold = thresholdOf(level)
  if (threshold === undefined) return false
  rules.set(name, setNow(threshold))
  return true
}

/** The levels that `setLevel` has set, by name. */
export function levelRules(): Readonly<Record<string, Threshold>> {
  return Object.fromEntries([...rules].map(([name, { threshold }]) => [name, levelOf(threshold)]))
}

/** What counts for a logger of this name that was given `own`. */
export function effectiveThreshold(name: string, own: SetLevel): number {
  const rule = ruleFor(name)
  return rule !== undefined && rule.order > own.order ? rule.threshold : own.threshold
}

/** The rule with the longest name that `name` is, or is below. */
function ruleFor(name: string): SetLevel | undefined {
  if (rules.size === 0) return undefined
  for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
    const rule = rules.get(name.slice(0, end))
    if (rule !== undefined) return rule
  }
  return rules.get('*')
}
