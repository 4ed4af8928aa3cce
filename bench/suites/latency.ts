import { Bed } from '../bed.ts'
import { LATENCY } from '../budgets.ts'
import { atMost, type Case, type Figure, figure } from '../figures.ts'
import { measure, type Run } from '../measure.ts'
import type { Latency } from '../statistics.ts'
import { type BenchOptions, fullLoad, type Suite } from './suite.ts'

const RECORDS = 500
const SHARES = [0.5, 0.9]

/** What one run at a fixed rate gave. */
interface AtRate {
  readonly run: Run
  readonly endToEnd: Latency
}

/**
 * How long it takes at a fixed rate, a share of what the same processes took a moment before. All times count from when
 * a request was meant to be sent: the client's until it was accepted, end to end until the bulk endpoint had the record.
 */
export const latency: Suite = {
  name: 'latency',
  title: 'Latency in milliseconds at a fixed rate, from the intended time of sending',
  async run(options, progress) {
    await using bed = await Bed.open({ profile: options.profile })
    const load = fullLoad(options, RECORDS)
    await bed.load({ ...load, seconds: options.warmUpSeconds })
    await bed.drained()
    const full: Run[] = []
    const results = new Map<number, AtRate[]>(SHARES.map((share) => [share, []]))
    while (full.length < options.runs) {
      progress(`latency: run ${full.length + 1}`)
      const run = await measure(bed, { ...load, seconds: options.seconds })
      full.push(run)
      const capacity = run.records / run.seconds
      for (const share of SHARES) results.get(share)?.push(await atRate(bed, capacity * share, options))
    }
    const cases: Case[] = [
      { name: 'capacity', figures: rateFigures(full) },
      ...[...results].map(([share, runs]) => ({ name: `${share * 100} %`, figures: figuresOf(share, runs) })),
    ]
    return { suite: 'latency', title: latency.title, cases }
  },
}

async function atRate(bed: Bed, rate: number, { connections, seconds }: BenchOptions): Promise<AtRate> {
  await bed.resetSink()
  const run = await measure(bed, { records: RECORDS, connections, rate, seconds })
  const { latency: endToEnd } = await bed.sinkReport()
  return { run, endToEnd }
}

function figuresOf(share: number, runs: readonly AtRate[]): Figure[] {
  const budget = LATENCY[share]
  const points = (name: string, of: (run: AtRate) => Latency): Figure[] =>
    (['p50', 'p90', 'p99', 'max'] as const).map((point) => {
      const limit = point === 'p50' || point === 'p99' ? budget?.[point] : undefined
      const values = runs.map((each) => of(each)[point])
      return figure(`${name} ${point}`, { unit: 'ms', runs: values, budget: atMost(limit) })
    })
  return [
    ...points('client', ({ run }) => run.latency),
    ...points('end to end', ({ endToEnd }) => endToEnd),
    ...rateFigures(runs.map(({ run }) => run)),
  ]
}

function rateFigures(runs: readonly Run[]): Figure[] {
  return [
    figure('records/s', { unit: '1/s', runs: runs.map(({ records, seconds }) => records / seconds) }),
    figure('slowness', { unit: 'times', runs: runs.map(({ slowness }) => slowness) }),
    figure('others', { unit: '% of cores', runs: runs.map(({ others }) => others * 100) }),
  ]
}
