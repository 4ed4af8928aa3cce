import { Bed, type BedOptions } from '../bed.ts'
import { SCALING } from '../budgets.ts'
import { type Case, figure } from '../figures.ts'
import { withReference } from '../reference.ts'
import type { BenchOptions, Suite } from './suite.ts'

/** Connections stay with the process that took them: with many, each process has enough. */
const LOAD = { records: 500, connections: 32, inflight: 1 }
const ROLES = ['gateway', 'drain'] as const
type Scaled = (typeof ROLES)[number]

/** What one run of a bed gave for one kind of process. */
interface Rate {
  readonly recordsPerSecond: number
  /** CPU microseconds per record, all processes of the kind and what supervises them. */
  readonly cpu: number
  readonly slowness: number
}

/**
 * What a second process brings (`service.processes`), on as many cores as there are: load generator, Redis and sink take
 * their part of them. Therefore each kind works alone: gateways fill the buffer while the drains are frozen, then the
 * drains empty it. One and two take turns, so that a change of the machine's speed meets both.
 */
export const scaling: Suite = {
  name: 'scaling',
  title: 'Two processes of a kind against one',
  async run(options, progress) {
    const cases: Case[] = []
    for (const role of ROLES) {
      progress(`scaling: ${role}`)
      await using one = await warmBed(undefined, options)
      await using two = await warmBed({ gateway: 1, drain: 1, [role]: 2 }, options)
      const single: Rate[] = []
      const double: Rate[] = []
      while (double.length < options.runs) {
        single.push((await fillAndDrain(one, options))[role])
        double.push((await fillAndDrain(two, options))[role])
      }
      cases.push(caseOf(role, single, double))
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

async function fillAndDrain(bed: Bed, options: BenchOptions): Promise<Readonly<Record<Scaled, Rate>>> {
  const before = await bed.cpuSeconds()
  await bed.signal('drain', 'SIGSTOP')
  const filled = await withReference(() => bed.load({ ...LOAD, seconds: options.seconds }))
  const { records, seconds } = filled.result
  await bed.signal('drain', 'SIGCONT')
  const drained = await withReference(async () => {
    const started = performance.now()
    await bed.drained()
    return (performance.now() - started) / 1000
  })
  const after = await bed.cpuSeconds()
  const rate = (role: Scaled, took: number, slowness: number): Rate => ({
    recordsPerSecond: records / took,
    cpu: (((after.get(role) ?? 0) - (before.get(role) ?? 0)) * 1e6) / records,
    slowness,
  })
  return {
    gateway: rate('gateway', seconds, filled.slowness),
    drain: rate('drain', drained.result, drained.slowness),
  }
}

function caseOf(role: Scaled, one: readonly Rate[], two: readonly Rate[]): Case {
  const perSecond = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.recordsPerSecond)
  const cpu = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.cpu)
  const times = one.map((rate, run) => two[run].recordsPerSecond / rate.recordsPerSecond)
  const slowness = (rates: readonly Rate[]): number[] => rates.map((rate) => rate.slowness)
  return {
    name: role,
    figures: [
      figure('records/s, one', { unit: '1/s', runs: perSecond(one), slowness: slowness(one), rate: true }),
      figure('records/s, two', { unit: '1/s', runs: perSecond(two), slowness: slowness(two), rate: true }),
      figure('times', { unit: 'times', runs: times, budget: { atLeast: SCALING } }),
      figure('CPU, one', { unit: 'µs', runs: cpu(one), slowness: slowness(one) }),
      figure('CPU, two', { unit: 'µs', runs: cpu(two), slowness: slowness(two) }),
      figure('slowness', { unit: 'times', runs: slowness(two) }),
    ],
  }
}
