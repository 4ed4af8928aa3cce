import { HOP } from '../budgets.ts'
import { atMost, type Budget, type Case, figure } from '../figures.ts'
import { HOPS } from '../hop/hops.ts'
import type { Measured, Round } from '../hop/measure.ts'
import { firstLine, NODE_FLAGS, run } from '../processes.ts'
import type { Suite } from './suite.ts'

const COMPRESSIONS = ['zstd', 'none'] as const
const ROUNDS = 8

/**
 * What a buffer costs the process that puts batches into it, and the one that takes them out: from a batch as the
 * receiver has it until its push is acknowledged, and from asking for a lease until that is. All threads count.
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
        const child = run('bench/hop/measure.ts', args, { stdout: 'pipe', flags: NODE_FLAGS })
        cases.push(caseOf(name, JSON.parse(await firstLine(child)) as Measured))
      }
    }
    return { suite: 'hop', title: hop.title, cases }
  },
}

function caseOf(name: string, { rounds, waits }: Measured): Case {
  const slowness = rounds.map((each) => each.slowness)
  // Compression is what an operator chooses it for; the reference loop alone takes more than the budget.
  const budget = atMost(name.endsWith('none') ? HOP : undefined)
  const cpu = (what: keyof Round, limit?: Budget) =>
    figure(what, { unit: 'µs/record', runs: rounds.map((each) => each[what]), slowness, budget: limit })
  return {
    name,
    figures: [
      cpu('push', budget),
      cpu('take', budget),
      ...(name.startsWith('redis') ? [cpu('server')] : []),
      figure('wait p50', { unit: 'ms', runs: [waits.p50] }),
      figure('wait p99', { unit: 'ms', runs: [waits.p99] }),
      figure('slowness', { unit: 'times', runs: slowness }),
    ],
  }
}
