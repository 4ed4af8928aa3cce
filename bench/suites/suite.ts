import { Bed, type BedOptions, type LoadOptions } from '../bed.ts'
import type { PathBudget } from '../budgets.ts'
import type { Case, SuiteResult } from '../figures.ts'
import { measure, pathFigures, type Run } from '../measure.ts'
import { USUAL_BYTES } from '../payload.ts'

/** What the command line set for all suites. */
export interface BenchOptions {
  /** Of one run. */
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Figures are medians of so many. */
  readonly runs: number
  /** Records per request, where a suite does not say. */
  readonly records: readonly number[]
  readonly connections: number
  readonly inflight: number
  readonly memoryMinutes: number
  /** Folder for CPU profiles of Sluice. */
  readonly profile?: string | undefined
}

/** A question, and how it is answered. */
export interface Suite {
  readonly name: string
  readonly title: string
  /** `progress` is told what is measured next. */
  run(options: BenchOptions, progress: (what: string) => void): Promise<SuiteResult>
}

/** One setting under full load. */
export interface PathCase {
  readonly name: string
  readonly bed?: BedOptions
  readonly load: Omit<LoadOptions, 'seconds'>
  readonly budget?: PathBudget | undefined
}

/** A suite that sends each of its cases as many records as the collector takes. */
export function pathSuite(
  name: string,
  title: string,
  cases: (options: BenchOptions) => readonly PathCase[],
): Suite {
  return {
    name,
    title,
    async run(options, progress) {
      const done: Case[] = []
      for (const each of cases(options)) {
        progress(`${name}: ${each.name}`)
        done.push({ name: each.name, figures: await measureCase(each, options) })
      }
      return { suite: name, title, cases: done }
    },
  }
}

async function measureCase({ bed: bedOptions, load, budget }: PathCase, options: BenchOptions) {
  const { seconds, warmUpSeconds, profile } = options
  const full = { ...fullLoad(options, load.records, load.recordBytes), ...load }
  await using bed = await Bed.open({ profile, ...bedOptions })
  await bed.load({ ...full, seconds: warmUpSeconds })
  await bed.drained()
  const runs: Run[] = []
  while (runs.length < options.runs) runs.push(await measure(bed, { ...full, seconds }))
  return pathFigures(runs, budget)
}

/** On each connection. More would only wait in the gateway. */
const MAX_INFLIGHT = 25
const USUAL_RECORDS = 500

/** Requests that keep a collector busy: the smaller they are, the more are under way at once. */
export function fullLoad(
  { connections, inflight }: Pick<BenchOptions, 'connections' | 'inflight'>,
  records: number,
  recordBytes = USUAL_BYTES,
) {
  const more = Math.max(1, (USUAL_RECORDS * USUAL_BYTES) / (records * recordBytes))
  return { records, connections, inflight: Math.min(MAX_INFLIGHT, Math.round(inflight * more)) }
}
