import { z } from 'zod'
import { duration } from '../../../src/config/fields.ts'
import { type Finding, type Labels, SEVERITIES, type Severity } from '../alert.ts'
import type { History } from '../history.ts'

/** A kind of trouble, and how it is found. */
export interface Rule {
  /** Its name among the settings. */
  readonly key: string
  /** Its name in alerts. */
  readonly name: string
  readonly meaning: string
  /** What an operator is to do. */
  readonly action: string
  readonly settings: z.ZodObject
  find(history: History, settings: unknown): Finding[]
}

interface Common {
  readonly enabled: z.ZodType<boolean>
  readonly for: z.ZodType<number>
}

interface Declared<Shape extends z.ZodRawShape> extends Omit<Rule, 'settings' | 'find'> {
  /** How long it lasts before it is an alert, where that is not the usual. */
  readonly for?: string
  readonly settings: Shape
  find(history: History, settings: z.output<z.ZodObject<Shape>>): Finding[]
}

/** Longer than a moment, shorter than the time between two looks: what is found twice in a row. */
const TWO_LOOKS = '3s'

/** Adds the settings that every rule has. */
export function defineRule<Shape extends z.ZodRawShape>({
  for: lasts = TWO_LOOKS,
  ...rule
}: Declared<Shape>): Rule {
  const common: Common = {
    enabled: z.boolean().default(true).describe('Whether this alert is raised.'),
    for: duration().prefault(lasts).describe('How long the trouble lasts before it is an alert.'),
  }
  return { ...rule, settings: z.strictObject({ ...common, ...rule.settings }) } as unknown as Rule
}

/** The setting of a rule that knows one severity. */
export function severity(usual: Severity) {
  return z.enum(SEVERITIES).default(usual).describe('How grave it is.')
}

/** The severity of a value that is bad when it is high. */
export function above(
  value: number,
  { warning, critical }: Readonly<Record<Severity, number>>,
): Severity | undefined {
  if (value > critical) return 'critical'
  return value > warning ? 'warning' : undefined
}

const KINDS = ['connector', 'exporter', 'processor', 'receiver'] as const

/** The label `component` as the health answer names it: `connector/redis`. */
export function componentOf(labels: Labels): Labels {
  const kind = KINDS.find((name) => labels[name] !== undefined)
  return kind === undefined ? {} : { component: `${kind}/${labels[kind]}` }
}
