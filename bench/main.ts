import { mkdirSync, writeFileSync } from 'node:fs'
import type { SuiteResult } from './figures.ts'
import { runGate } from './gate/gate.ts'
import { type CommandLine, HELP, parseCommandLine } from './options.ts'
import { makeReport } from './report/json.ts'
import { drawReport } from './report/svg.ts'
import { suiteTable } from './report/table.ts'

/**
 * `npm run bench`: processes of Sluice under load over real gRPC and HTTP, with a real Redis, and a bulk endpoint that
 * takes everything. Prints CPU per record and the rest beside the budgets; bench/results/ holds all of it.
 */
const RESULTS = 'bench/results'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const commandLine = readCommandLine()
if (commandLine === undefined) process.stdout.write(HELP)
else if (commandLine.gate) process.exitCode = await runGate(commandLine.options, commandLine.update)
else await bench(commandLine)

function readCommandLine(): CommandLine | undefined {
  try {
    return parseCommandLine(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return process.exit(2)
  }
}

async function bench({ suites, options }: CommandLine): Promise<void> {
  const results: SuiteResult[] = []
  for (const suite of suites) {
    try {
      const result = await suite.run(options, (what) => console.error(`… ${what}`))
      console.log(`\n${suiteTable(result)}`)
      results.push(result)
      save(results, options)
    } catch (error) {
      // The others are worth having all the same.
      console.error(`${suite.name} could not be measured:`, error)
      process.exitCode = 1
    }
  }
  console.log(`\nFigures with a second line are corrected for slowness; "!" misses the budget.`)
  console.log(`written to ${RESULTS}/latest.json and latest.svg`)
}

function save(results: readonly SuiteResult[], options: object): void {
  const report = makeReport({ ...options }, results)
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}/latest.json`, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(`${RESULTS}/latest.svg`, drawReport(report))
}
