import { RUNTIME } from '../../test/servers/runtime.ts'
import { HOP } from '../budgets.ts'
import { atMost, type Budget, type Case, figure } from '../figures.ts'
import { HOPS } from '../hop/hops.ts'
import type { Measured, Round } from '../hop/measure.ts'
import { firstLine, run } from '../processes.ts'
import type { Suite } from './suite.ts'

const COMPRESSIONS = ['zstd', 'none'] as const
const ROUNDS = 8

/**
 * What a buffer costs the process that puts batches into it, and the one that takes them out: from a batch as the
 * receiver has it until its push is acknowledged, and from asking for a lease until that is. All threads count. What
 * compression takes is shown apart, and not held against the budget: it is paid for memory, not for the way.
 */
export const hop: Suite = {
  name: 'hop',
  title: 'The way through a buffer, without receiver and exporter, 500 records a request',
  async run({ runs }, progress) {
    const cases: Case[] = []
    for (const kind of Object.keys(HOPS)) {
      for (const compression of COMPRESSIONS) {
        const name = `${kind}, ${compression}`
        progress(`hop: ${name}`)
        const args = [kind, compression, String(ROUNDS * runs)]
        const child = run('bench/hop/measure.ts', args, { stdout: 'pipe', ...RUNTIME })
        cases.push(caseOf(name, JSON.parse(await firstLine(child)) as Measured))
      }
    }
    return { suite: 'hop', title: hop.title, cases }
  },
}

function caseOf(name: string, { rounds, waits }: Measured): Case {
  const slowness = rounds.map((each) => each.slowness)
  const cpu = (what: string, of: (each: Round) => number, budget?: Budget) =>
    figure(what, { unit: 'µs/record', runs: rounds.map(of), slowness, budget })
  // For elements as they are by default. Five times the bytes cost more on any way.
  const budget = atMost(name.endsWith('zstd') ? HOP : undefined)
  return {
    name,
    figures: [
      cpu('push', ({ push }) => push),
      cpu('compress', ({ compress }) => compress),
      cpu('push but compress', ({ push, compress }) => push - compress, budget),
      cpu('take', ({ take }) => take),
      cpu('decompress', ({ decompress }) => decompress),
      cpu('take but decompress', ({ take, decompress }) => take - decompress, budget),
      ...(name.startsWith('redis') ? [cpu('server', ({ server }) => server)] : []),
      figure('wait p50', { unit: 'ms', runs: [waits.p50] }),
      figure('wait p99', { unit: 'ms', runs: [waits.p99] }),
      figure('slowness', { unit: 'times', runs: slowness }),
    ],
  }
}
