import { availableParallelism } from 'node:os'
import { Bed, type BedOptions } from '../bed.ts'
import { SCALING } from '../budgets.ts'
import { atLeast, type Case, figure } from '../figures.ts'
import { withHalfCores } from '../half-cores.ts'
import { withReference } from '../reference.ts'
import { median } from '../statistics.ts'
import type { BenchOptions, Suite } from './suite.ts'

/** Connections stay with the process that took them: with many, each process has enough. */
const LOAD = { records: 500, connections: 32, inflight: 1 }
const ROLES = ['gateway', 'drain'] as const
type Scaled = (typeof ROLES)[number]

/** How much of a core each process may take. */
const SHARES = ['a core each', 'half a core each'] as const
type Share = (typeof SHARES)[number]

/** What one run of a bed gave for one kind of process. */
interface Rate {
  readonly recordsPerSecond: number
  /** CPU microseconds per record, all processes of the kind and what supervises them. */
  readonly cpu: number
  /** How many cores the whole path took meanwhile, load generator and all. */
  readonly busyCores: number
  readonly slowness: number
}

/**
 * What a second process brings (`service.processes`), on as many cores as there are: load generator, Redis and sink take
 * their part of them. Therefore each kind works alone: gateways fill the buffer while the drains are frozen, then the
 * drains empty it. Where that is not enough, half a core for each process shows what more cores would. One and two
 * take turns, so that a change of the machine's speed meets both.
 */
export const scaling: Suite = {
  name: 'scaling',
  title: 'Two processes of a kind against one',
  async run(options, progress) {
    const cases: Case[] = []
    for (const role of ROLES) {
      await using one = await warmBed(undefined, options)
      await using two = await warmBed({ gateway: 1, drain: 1, [role]: 2 }, options)
      for (const share of SHARES) {
        progress(`scaling: ${role}, ${share}`)
        const single: Rate[] = []
        const double: Rate[] = []
        while (double.length < options.runs) {
          single.push(await rateOf(role, one, share, options))
          double.push(await rateOf(role, two, share, options))
        }
        cases.push(caseOf(`${role}, ${share}`, single, double))
      }
    }
    return { suite: 'scaling', title: scaling.title, cases }
  },
}

async function warmBed(processes: BedOptions['processes'], options: BenchOptions): Promise<Bed> {
  const bed = await Bed.open({ processes, profile: options.profile })
  await bed.load({ ...LOAD, seconds: options.warmUpSeconds })
  await bed.drained()
  return bed
}

/** Fills the buffer and empties it; what is told is the part of `role`. */
async function rateOf(role: Scaled, bed: Bed, share: Share, options: BenchOptions): Promise<Rate> {
  const shared = <T>(kind: Scaled, work: () => Promise<T>): (() => Promise<T>) =>
    kind === role && share === 'half a core each' ? halved(bed, kind, work) : work
  await bed.signal('drain', 'SIGSTOP')
  const fill = shared('gateway', () => bed.load({ ...LOAD, seconds: options.seconds }))
  const filling = await phase(bed, fill)
  const drain = shared('drain', async () => {
    const started = performance.now()
    await bed.signal('drain', 'SIGCONT')
    await bed.drained()
    return { seconds: (performance.now() - started) / 1000, cpuSeconds: 0 }
  })
  const draining = await phase(bed, drain)
  const { records } = filling.result
  const { result, spent, slowness } = role === 'gateway' ? filling : draining
  return {
    recordsPerSecond: records / result.seconds,
    cpu: ((spent.get(role) ?? 0) * 1e6) / records,
    busyCores: [...spent.values()].reduce((sum, each) => sum + each, result.cpuSeconds) / result.seconds,
    slowness,
  }
}

/** The same work, while the processes of a kind have half a core each. */
function halved<T>(bed: Bed, role: Scaled, work: () => Promise<T>): () => Promise<T> {
  // Who is frozen takes no connection: the others would have them all.
  const ready = async (): Promise<void> => {
    if (role === 'gateway') await bed.connected(LOAD.connections)
  }
  return async () => withHalfCores(await bed.workers(role), work, ready)
}

/** Does `work`, and tells what each kind of process spent meanwhile. */
async function phase<T>(bed: Bed, work: () => Promise<T>) {
  const before = await bed.cpuSeconds()
  const { result, slowness } = await withReference(work)
  const after = await bed.cpuSeconds()
  const spent = new Map([...after].map(([role, seconds]) => [role, seconds - (before.get(role) ?? 0)]))
  return { result, spent, slowness }
}

function caseOf(name: string, one: readonly Rate[], two: readonly Rate[]): Case {
  const perSecond = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.recordsPerSecond)
  const cpu = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.cpu)
  const times = one.map((rate, run) => two[run].recordsPerSecond / rate.recordsPerSecond)
  const slowness = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.slowness)
  // What one process and those around it leave idle is all that a second one can have.
  const room = one.map(({ busyCores }) => availableParallelism() / busyCores)
  const budget = atLeast(median(room) < SCALING ? undefined : SCALING)
  return {
    name,
    figures: [
      figure('records/s, one', { unit: '1/s', runs: perSecond(one), slowness: slowness(one), rate: true }),
      figure('records/s, two', { unit: '1/s', runs: perSecond(two), slowness: slowness(two), rate: true }),
      figure('times', { unit: 'times', runs: times, budget }),
      figure('cores allow', { unit: 'times', runs: room }),
      figure('CPU, one', { unit: 'µs', runs: cpu(one), slowness: slowness(one) }),
      figure('CPU, two', { unit: 'µs', runs: cpu(two), slowness: slowness(two) }),
      figure('slowness', { unit: 'times', runs: slowness(two) }),
    ],
  }
}
