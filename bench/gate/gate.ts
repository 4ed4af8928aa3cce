import { readFileSync, writeFileSync } from 'node:fs'
import { RUNTIME } from '../../test/servers/runtime.ts'
import { firstLine, run } from '../processes.ts'
import { type Machine, machine } from '../report/json.ts'
import type { BenchOptions } from '../suites/suite.ts'
import { compare, comparisonTable, lower, type Measured, type Ratios, updated } from './compare.ts'
import { measureWhole } from './whole.ts'

interface Baseline {
  readonly machine: Machine
  readonly ratios: Ratios
}

const FILE = new URL('../baseline.json', import.meta.url)
/** For each stage. */
const TURNS = 60

/**
 * Compares CPU per record with the baseline, in multiples of the reference loop measured in turn with it. Resolves to the
 * exit code: 1 when something takes more than is allowed, in a second measurement too.
 */
export async function runGate(options: BenchOptions, update: boolean): Promise<number> {
  const baseline = JSON.parse(readFileSync(FILE, 'utf8')) as Baseline
  const here = machine()
  let measured = await measureAll(options)
  if (update) {
    const ratios = updated(baseline.ratios, measured)
    writeFileSync(FILE, `${JSON.stringify({ machine: here, ratios }, null, 2)}\n`)
    console.log(`${comparisonTable(compare(ratios, measured))}\nwritten to bench/baseline.json`)
    return 0
  }
  let comparisons = compare(baseline.ratios, measured)
  if (comparisons.some(({ verdict }) => verdict === 'slower')) {
    console.error('… something takes longer; measuring a second time')
    measured = lower(measured, await measureAll(options))
    comparisons = compare(baseline.ratios, measured)
  }
  console.log(comparisonTable(comparisons))
  if (comparisons.some(({ verdict }) => verdict === 'not judged')) {
    console.log('not judged: other work takes too much of this machine')
  }
  if (comparisons.some(({ verdict }) => verdict === 'faster')) {
    console.log('faster than the baseline: keep it with --gate --update, or it may be lost again unseen')
  }
  if (here.cpu !== baseline.machine.cpu) {
    console.log(`the baseline is of another CPU, ${baseline.machine.cpu}; this is ${here.cpu}`)
  }
  const slower = comparisons.filter(({ verdict }) => verdict === 'slower').map(({ name }) => name)
  if (slower.length === 0) return 0
  console.log(`slower than bench/baseline.json: ${slower.join('; ')}`)
  return 1
}

async function measureAll(options: BenchOptions): Promise<Measured> {
  console.error('… stages')
  const child = run('bench/gate/alternate.ts', [String(TURNS)], { stdout: 'pipe', ...RUNTIME })
  const stages = Object.entries(JSON.parse(await firstLine(child)) as Ratios)
  console.error('… whole path')
  const whole = await measureWhole(options)
  return new Map([...stages.map(([name, ratio]) => [name, { ratio, judged: true }] as const), ...whole])
}
