import { textTable } from '../report/table.ts'

/** CPU per record as a multiple of the reference loop's, by name. */
export type Ratios = Readonly<Record<string, number>>

/** What was measured; what is not judged is shown only. */
export type Measured = ReadonlyMap<string, { readonly ratio: number; readonly judged: boolean }>

export type Verdict = 'ok' | 'slower' | 'faster' | 'not in the baseline' | 'not judged'

export interface Comparison {
  readonly name: string
  readonly baseline: number | undefined
  readonly ratio: number
  readonly verdict: Verdict
}

/** What costs more on a busy machine than the reference does may differ by more: small requests, and whole processes. */
const TOLERANCES = [
  { names: /^whole/, tolerance: 0.5 },
  { names: /\b20 records/, tolerance: 0.35 },
] as const
const TOLERANCE = 0.25

export const toleranceOf = (name: string): number =>
  TOLERANCES.find(({ names }) => names.test(name))?.tolerance ?? TOLERANCE

/** Holds what was measured against a baseline. */
export function compare(baseline: Ratios, measured: Measured): Comparison[] {
  return [...measured].map(([name, { ratio, judged }]) => {
    const before: number | undefined = baseline[name]
    return { name, baseline: before, ratio, verdict: judged ? verdictOf(name, before, ratio) : 'not judged' }
  })
}

function verdictOf(name: string, before: number | undefined, ratio: number): Verdict {
  if (before === undefined) return 'not in the baseline'
  const tolerance = 1 + toleranceOf(name)
  if (ratio > before * tolerance) return 'slower'
  return ratio < before / tolerance ? 'faster' : 'ok'
}

/** Of two measurements the lower: what disturbs only ever adds. */
export function lower(one: Measured, other: Measured): Measured {
  return new Map(
    [...one].map(([name, first]) => {
      const second = other.get(name)
      return [name, second?.judged && (!first.judged || second.ratio < first.ratio) ? second : first]
    }),
  )
}

/** The baseline that a measurement gives: what is not judged keeps its old value. */
export function updated(baseline: Ratios, measured: Measured): Ratios {
  const judged = [...measured].filter(([, { judged }]) => judged)
  const kept = Object.entries(baseline).filter(([name]) => measured.has(name))
  const values = judged.map(([name, { ratio }]) => [name, Math.round(ratio * 1000) / 1000] as const)
  return Object.fromEntries([...kept, ...values])
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ name, baseline, ratio, verdict }) => [
    name,
    baseline?.toFixed(2) ?? '-',
    ratio.toFixed(2),
    baseline === undefined ? '-' : `${Math.round((ratio / baseline - 1) * 100) + 0} %`,
    `± ${toleranceOf(name) * 100} %`,
    verdict,
  ])
  return textTable(['CPU per record / reference', 'baseline', 'now', 'change', 'allowed', ''], rows)
}
