import type { Observation } from './real-run.ts'
import type { Trial } from './trial.ts'

/** One figure of both runs. */
export interface Comparison {
  readonly what: string
  readonly unit: string
  readonly real: number
  /** The median of the simulated runs, the least and the most. */
  readonly simulated: number
  readonly least: number
  readonly most: number
  /** simulated / real - 1 */
  readonly difference: number
  /** Whether more than the tolerance is a failure. */
  readonly binding: boolean
}

/** How far the model may be off. */
const TOLERANCE = 0.2
/** The backlog counts as empty below this share of its peak: bulks under way keep it from ever being 0. */
const EMPTY_SHARE = 0.1

interface Figures {
  readonly peak: number
  readonly timeToPeak: number
  readonly timeToEmpty: number
  readonly area: number
}

/** Peak, times and area of the backlog in each phase, delays, and what was sent back: the median of the simulated runs beside the real one. */
export function compare(trial: Trial, real: Observation, simulated: readonly Observation[]): Comparison[] {
  // Grows with the square of the time in which Redis refuses, which a look a second later changes by a tenth.
  const sentBack = `${trial.name}: sent back`
  const figures = [
    ...trial.phases.flatMap(({ name, fromMs, toMs }) => {
      const of = (run: Observation): Figures => figuresOf(run, fromMs, toMs)
      return [
        { what: `${name}: peak backlog`, unit: 'records', of: (run: Observation) => of(run).peak },
        { what: `${name}: time to the peak`, unit: 's', of: (run: Observation) => of(run).timeToPeak / 1000 },
        {
          what: `${name}: time until empty`,
          unit: 's',
          of: (run: Observation) => of(run).timeToEmpty / 1000,
        },
        {
          what: `${name}: area under the backlog`,
          unit: 'records·s',
          of: (run: Observation) => of(run).area / 1000,
        },
      ]
    }),
    { what: `${trial.name}: p50 of the delay`, unit: 's', of: (run: Observation) => run.p50 / 1000 },
    { what: `${trial.name}: p99 of the delay`, unit: 's', of: (run: Observation) => run.p99 / 1000 },
    { what: sentBack, unit: 'records', of: (run: Observation) => run.refused },
  ].filter(({ of }) => of(real) > 0)
  return figures.map(({ what, unit, of }) => {
    const [seen, sorted] = [of(real), simulated.map(of).sort((a, b) => a - b)]
    const expected = sorted[Math.floor(sorted.length / 2)]
    const [least, most] = [sorted[0], sorted[sorted.length - 1]]
    const binding = what !== sentBack
    return {
      what,
      unit,
      real: seen,
      simulated: expected,
      least,
      most,
      difference: expected / seen - 1,
      binding,
    }
  })
}

/** Whether the model is as close as is asked for. */
export function isClose({ difference, binding }: Comparison): boolean {
  return !binding || Math.abs(difference) <= TOLERANCE
}

function figuresOf({ backlog }: Observation, fromMs: number, toMs: number): Figures {
  const samples = backlog.filter(({ ms }) => ms >= fromMs && ms < toMs)
  let area = 0
  let peak = samples[0]
  for (const [place, sample] of samples.entries()) {
    if (sample.records > peak.records) peak = sample
    if (place > 0)
      area += ((sample.records + samples[place - 1].records) / 2) * (sample.ms - samples[place - 1].ms)
  }
  const empty = samples.find(({ ms, records }) => ms > peak.ms && records < peak.records * EMPTY_SHARE)
  return { peak: peak.records, timeToPeak: peak.ms - fromMs, timeToEmpty: (empty?.ms ?? toMs) - fromMs, area }
}
