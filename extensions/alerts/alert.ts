import { createHash } from 'node:crypto'

/** From mild to grave. */
export const SEVERITIES = ['warning', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Where a trouble is: `component`, `group`, `process`, whatever tells it from another one of its kind. */
export type Labels = Readonly<Record<string, string>>

/** What a rule finds wrong at one moment. */
export interface Finding {
  readonly labels: Labels
  readonly severity: Severity
  /** One line with the numbers. */
  readonly summary: string
}

/** A trouble that operators are told of. */
export interface Alert {
  /** The same for the same trouble, whatever its severity; safe to show. */
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly severity: Severity
  readonly summary: string
  /** What it means and what to do. */
  readonly description: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** None while it lasts. */
  readonly endedAt?: number
}

/** Why a receiver hears of an alert. */
export type Occasion = 'firing' | 'severity' | 'repeat' | 'resolved'

export interface Change {
  readonly occasion: Exclude<Occasion, 'repeat'>
  readonly alert: Alert
  /** What the severity was, where it has changed. */
  readonly before?: Severity
}

/** A name for a trouble that fits wherever keys are limited. */
export function identify(name: string, labels: Labels): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([name, sorted]))
    .digest('hex')
    .slice(0, 32)
}
