import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Comparison, compare, isClose } from './simulation/compare.ts'
import { blocks, DOCUMENT, filled, planBlocks, RESULTS, VALIDATION } from './simulation/document.ts'
import { memoryFactor, memoryOf } from './simulation/memory-probe.ts'
import { plot } from './simulation/plot.ts'
import { realRun } from './simulation/real-run.ts'
import { scenarioTable, type Validation, validationTable } from './simulation/result-tables.ts'
import {
  fingerprint,
  type Played,
  play,
  playVariant,
  type Results,
  SCENARIO_NAMES,
  SCENARIO_RATES,
} from './simulation/results.ts'
import { simulatedRun, trials } from './simulation/trial.ts'
import { variants } from './simulation/variants.ts'

/**
 * `npm run simulate`: plays every scenario at every rate in the model of docs/scale.md, prints a table, and writes samples and plots
 * to bench/results. `--plan` prints the sizing tables instead, `--validate` compares the model with a real run, and `--write` puts
 * what was made into docs/scale.md.
 */
const { values } = parseArgs({
  options: {
    plan: { type: 'boolean', default: false },
    validate: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    scenario: { type: 'string', default: SCENARIO_NAMES.join(',') },
    rate: { type: 'string', default: SCENARIO_RATES.join(',') },
  },
})

/** Runs whose plots are part of docs/scale.md, and their files there. */
const PLOTTED: Readonly<Record<string, string>> = {
  'spike 5000000': 'spike.svg',
  'zone 500000': 'zone.svg',
  'outage 5000000': 'outage.svg',
  'outage-60 68000': 'outage-60.svg',
}
const SIMULATED_RUNS = 21
const FOLDER = 'bench/results/simulation'

if (values.plan) printPlan()
else if (values.validate) await validate()
else playAll()

function printPlan(): void {
  for (const [name, content] of planBlocks()) console.log(`## ${name}\n\n${content}\n`)
  if (values.write) writeDocument()
}

function playAll(): void {
  const names = SCENARIO_NAMES.filter((name) => values.scenario.split(',').includes(name))
  const rates = values.rate.split(',').map(Number)
  const complete = names.length === SCENARIO_NAMES.length && rates.join() === SCENARIO_RATES.join()
  if (names.length === 0 || rates.some((rate) => !(rate > 0))) {
    throw new Error(
      `nothing to play: --scenario takes ${SCENARIO_NAMES.join(', ')}, --rate records per second`,
    )
  }
  if (values.write && !complete) throw new Error('--write needs all scenarios at all rates')
  mkdirSync(FOLDER, { recursive: true })
  const keep = (played: Played): Played['summary'] => {
    const { name, rate, title } = played.summary
    writeFileSync(
      `${FOLDER}/${name}-${rate}.json`,
      JSON.stringify({ ...played.summary, samples: played.run.samples }),
    )
    writeFileSync(`${FOLDER}/${name}-${rate}.svg`, plot(played))
    const file = PLOTTED[`${name} ${rate}`]
    if (values.write && file !== undefined) writeFileSync(`docs/scale/${file}`, plot(played))
    console.error(`played ${title} at ${rate} records/s`)
    return played.summary
  }
  const scenarios = names.flatMap((name) => rates.map((rate) => keep(play(name, rate))))
  console.log(scenarioTable(scenarios))
  if (!complete) return
  const departures = variants.map((variant) => keep(playVariant(variant)))
  console.log(`\n${scenarioTable(departures)}`)
  console.log(`\nsamples and plots are in ${FOLDER}`)
  if (!values.write) return
  const results: Results = { fingerprint: fingerprint(), scenarios, variants: departures }
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
  writeDocument()
}

async function validate(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  const comparisons: Comparison[] = []
  for (const trial of trials) {
    console.error(`playing "${trial.name}" for real, ${trial.seconds} s`)
    const memoryPerRecord = await memoryOf(trial.recordsPerRequest)
    const real = await realRun(trial)
    const memory = { memoryPerRecord, emptyMemory: real.emptyMemory }
    const simulated = Array.from({ length: SIMULATED_RUNS }, (_, seed) =>
      simulatedRun(trial, memory, seed + 1),
    )
    comparisons.push(...compare(trial, real, simulated))
    const file = `${FOLDER}/trial-${trial.name.replaceAll(' ', '-')}.json`
    writeFileSync(file, JSON.stringify({ trial, memory, real, simulated: simulated[0] }))
  }
  const factor = Math.round((await memoryFactor()) * 1000) / 1000
  const validation: Validation = {
    machine: `${cpus().length} cores of ${cpus()[0].model}`,
    memoryFactor: factor,
    comparisons,
  }
  console.log(validationTable(validation))
  console.log(`\nRedis takes ${factor} bytes of memory for a byte of elements`)
  if (values.write) {
    writeFileSync(VALIDATION, `${JSON.stringify(validation, null, 2)}\n`)
    writeDocument()
  }
  if (!comparisons.every(isClose)) process.exitCode = 1
}

function writeDocument(): void {
  writeFileSync(DOCUMENT, filled(readFileSync(DOCUMENT, 'utf8'), blocks()))
  console.error('docs/scale.md is up to date')
}
