import { parseArgs } from 'node:util'
import { suites, suitesNamed } from './suites/index.ts'
import type { BenchOptions, Suite } from './suites/suite.ts'

export interface CommandLine {
  readonly suites: readonly Suite[]
  readonly options: BenchOptions
  readonly gate: boolean
  /** Makes what the gate measured the new baseline. */
  readonly update: boolean
}

export const HELP = `npm run bench -- [options]

without options   the whole path against its budgets, in about a minute
--full            all suites
--suite A,B       some of them
--gate            compares CPU per record with bench/baseline.json, and ends with 1 where it has grown
--update          with --gate: makes what is measured the new baseline

--seconds N           of one run (quick 15, full 5)
--runs N              figures are medians of so many (quick 1, full 5)
--records A,B         records per request of the suite "budgets" (500,20)
--connections N       of the load generator (4)
--inflight N          requests of 500 records under way on each connection (4); of smaller ones more
--memory-minutes N    of the suite "memory" (10)
--profile FOLDER      writes CPU profiles of gateway and drain there
`

/** Throws with the reason when `args` cannot be understood; undefined when help is asked for. */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      full: { type: 'boolean', default: false },
      suite: { type: 'string' },
      gate: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      runs: { type: 'string' },
      records: { type: 'string', default: '500,20' },
      connections: { type: 'string', default: '4' },
      inflight: { type: 'string', default: '4' },
      'memory-minutes': { type: 'string', default: '10' },
      profile: { type: 'string' },
    },
  })
  if (values.help) return undefined
  if (values.update && !values.gate) throw new Error('--update goes with --gate')
  const quick = !values.full && values.suite === undefined
  const count = (name: string, text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is "${text}"; expected 1 or more`)
    return value
  }
  return {
    suites: values.full ? suites : suitesNamed((values.suite ?? 'budgets').split(',')),
    gate: values.gate,
    update: values.update,
    options: {
      seconds: count('seconds', values.seconds, quick ? 15 : 5),
      warmUpSeconds: 6,
      runs: count('runs', values.runs, quick ? 1 : 5),
      records: values.records.split(',').map((text) => count('records', text, 0)),
      connections: count('connections', values.connections, 4),
      inflight: count('inflight', values.inflight, 4),
      memoryMinutes: count('memory-minutes', values['memory-minutes'], 10),
      profile: values.profile,
    },
  }
}
