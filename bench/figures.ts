import { median } from './statistics.ts'

export type Budget = { readonly atMost: number } | { readonly atLeast: number }

/** One measured quantity. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** As measured, one value a run. */
  readonly runs: readonly number[]
  readonly median: number
  /** The median of the runs, each corrected for how slow the machine was meanwhile. */
  readonly corrected?: number
  readonly budget?: Budget
}

/** One setting of a suite. */
export interface Case {
  readonly name: string
  readonly figures: readonly Figure[]
}

/** Values over time. */
export interface Series {
  readonly name: string
  readonly unit: string
  readonly everySeconds: number
  readonly values: readonly number[]
}

export interface SuiteResult {
  readonly suite: string
  readonly title: string
  readonly cases: readonly Case[]
  readonly series?: readonly Series[]
}

export interface FigureOptions {
  readonly unit: string
  readonly runs: readonly number[]
  /** One for each run: how much slower than the budgets' machine this one was. */
  readonly slowness?: readonly number[]
  /** A rate falls with slowness, while everything else grows with it. */
  readonly rate?: boolean
  readonly budget?: Budget | undefined
}

export function figure(name: string, options: FigureOptions): Figure {
  const { unit, runs, slowness, rate = false, budget } = options
  const corrected =
    slowness && median(runs.map((value, run) => (rate ? value * slowness[run] : value / slowness[run])))
  return {
    name,
    unit,
    runs,
    median: median(runs),
    ...(corrected !== undefined && { corrected }),
    ...(budget && { budget }),
  }
}

/** The value that counts: corrected for slowness where that applies. */
export function valueOf({ corrected, median: measured }: Figure): number {
  return corrected ?? measured
}

/** Whether a figure misses its budget. */
export function misses(of: Figure): boolean {
  if (of.budget === undefined) return false
  return 'atMost' in of.budget ? valueOf(of) > of.budget.atMost : valueOf(of) < of.budget.atLeast
}

export const atMost = (limit: number | undefined): Budget | undefined =>
  limit === undefined ? undefined : { atMost: limit }

export const atLeast = (limit: number | undefined): Budget | undefined =>
  limit === undefined ? undefined : { atLeast: limit }
