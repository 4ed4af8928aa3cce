import { availableParallelism } from 'node:os'
import type { Bed, LoadOptions, Role } from './bed.ts'
import type { PathBudget } from './budgets.ts'
import { atLeast, atMost, type Figure, figure } from './figures.ts'
import { busySeconds } from './processes.ts'
import { withReference } from './reference.ts'
import type { Latency } from './statistics.ts'

/** What one run of load over a bed gave. */
export interface Run {
  readonly records: number
  readonly refused: number
  readonly bytesPerRecord: number
  /** Until everything was delivered. */
  readonly seconds: number
  readonly requests: number
  readonly latency: Latency
  /** CPU microseconds per record. */
  readonly cpu: ReadonlyMap<Role | 'load', number>
  /** Largest resident memory, MiB. */
  readonly rssMib: ReadonlyMap<Role, number>
  readonly slowness: number
  /** Share of all cores that other work on the machine took. */
  readonly others: number
}

const SAMPLE_MS = 1000
/** What belongs to the path, and is not only there to measure it. */
const PATH: readonly Role[] = ['gateway', 'drain', 'both', 'redis']

/** Sends load and waits until all of it is delivered. Throws when records were lost. */
export async function measure(bed: Bed, load: LoadOptions): Promise<Run> {
  const [countsBefore, cpuBefore, busyBefore] = await Promise.all([
    bed.counts(),
    bed.cpuSeconds(),
    busySeconds(),
  ])
  const ownBefore = process.cpuUsage()
  const started = performance.now()
  const rssMib = new Map<Role, number>()
  const sampler = setInterval(() => {
    void bed.rssMib().then((now) => {
      for (const [role, mib] of now) rssMib.set(role, Math.max(mib, rssMib.get(role) ?? 0))
    })
  }, SAMPLE_MS)
  const { result, slowness } = await withReference(async () => {
    const report = await bed.load(load)
    await bed.drained()
    return { report, seconds: (Date.now() - report.startedMs) / 1000 }
  }).finally(() => clearInterval(sampler))
  const { report, seconds } = result
  const elapsed = (performance.now() - started) / 1000
  const own = process.cpuUsage(ownBefore)
  const [counts, cpuAfter, busyAfter] = await Promise.all([bed.counts(), bed.cpuSeconds(), busySeconds()])
  const records = counts.accepted - countsBefore.accepted
  const delivered = counts.delivered - countsBefore.delivered
  if (records !== delivered) throw new Error(`${records} records were accepted and ${delivered} delivered`)
  const spent = new Map([...cpuAfter].map(([role, after]) => [role, after - (cpuBefore.get(role) ?? 0)]))
  const ours = [...spent.values(), report.allCpuSeconds, (own.user + own.system) / 1e6]
  const others = busyAfter - busyBefore - ours.reduce((sum, each) => sum + each, 0)
  const cpu = new Map<Role | 'load', number>([...spent, ['load', report.cpuSeconds]])
  for (const [role, cpuSeconds] of cpu) cpu.set(role, (cpuSeconds * 1e6) / records)
  return {
    records,
    refused: report.refused,
    bytesPerRecord: report.bytesPerRecord,
    seconds,
    requests: report.requests,
    latency: report.latency,
    cpu,
    rssMib,
    slowness,
    others: Math.max(0, others / elapsed / availableParallelism()),
  }
}

/** The figures of a case: medians of its runs. */
export function pathFigures(runs: readonly Run[], budget?: PathBudget): Figure[] {
  const slowness = runs.map((run) => run.slowness)
  const figures: Figure[] = []
  const cpu = (name: string, of: (run: Run) => number, limit?: number): void => {
    const options = { unit: 'µs', runs: runs.map(of), slowness }
    figures.push(figure(name, { ...options, budget: atMost(limit) }))
  }
  const roles = [...runs[0].cpu.keys()]
  for (const role of PATH.filter((each) => roles.includes(each))) {
    const limit = role === 'gateway' || role === 'drain' ? budget?.[role] : undefined
    cpu(role, (run) => run.cpu.get(role) ?? 0, limit)
  }
  cpu('whole', cpuOfPath, budget?.whole)
  cpu('load', (run) => run.cpu.get('load') ?? 0)
  cpu('sink', (run) => run.cpu.get('sink') ?? 0)

  const rate = { slowness, rate: true }
  const perSecond = runs.map((run) => run.records / run.seconds)
  const least = atLeast(budget?.recordsPerSecond)
  figures.push(figure('records/s', { unit: '1/s', runs: perSecond, ...rate, budget: least }))
  figures.push(
    figure('requests/s', { unit: '1/s', runs: runs.map((run) => run.requests / run.seconds), ...rate }),
    figure('refused', { unit: 'requests', runs: runs.map((run) => run.refused) }),
    figure('client p50', { unit: 'ms', runs: runs.map((run) => run.latency.p50) }),
    figure('client p99', { unit: 'ms', runs: runs.map((run) => run.latency.p99) }),
  )
  for (const role of PATH.filter((each) => roles.includes(each))) {
    const values = runs.map((run) => run.rssMib.get(role) ?? 0)
    figures.push(figure(`rss ${role}`, { unit: 'MiB', runs: values }))
  }
  figures.push(
    figure('slowness', { unit: 'times', runs: slowness }),
    figure('others', { unit: '% of cores', runs: runs.map((run) => run.others * 100) }),
  )
  return figures
}

/** CPU microseconds per record of all that belongs to the path. */
export function cpuOfPath({ cpu }: Run): number {
  return PATH.reduce((sum, role) => sum + (cpu.get(role) ?? 0), 0)
}
