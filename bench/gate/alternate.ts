import { Reference } from '../reference.ts'
import { quantile } from '../statistics.ts'
import { type Stage, stagesFor } from './stages.ts'

/**
 * Measures stages in turn with the reference loop, and prints one line of JSON: for each stage its CPU per record as a
 * multiple of the reference's. What slows the machine meets both alike, mostly: of many short turns the lower quartile
 * counts, since other work may come into more than half of them.
 */
const WARM_UP_MS = 1500
/** Long enough to hold a few garbage collections, short beside the changes of the machine's speed. */
const TURN_MS = 60
const REFERENCE_TIMES = 8

const turns = Number(process.argv[2])
const stages = [...(await stagesFor(500)), ...(await stagesFor(20))]
const reference = new Reference()
for (const stage of stages) await microsOf(stage, WARM_UP_MS)

const ratios = new Map<string, number[]>(stages.map(({ name }) => [name, []]))
let before = reference.sample(REFERENCE_TIMES)
for (let turn = 0; turn < turns; turn++) {
  for (const stage of stages) {
    const taken = await microsOf(stage, TURN_MS)
    const after = reference.sample(REFERENCE_TIMES)
    ratios.get(stage.name)?.push(taken / ((before + after) / 2))
    before = after
  }
}
const quartiles = [...ratios].map(([name, values]) => [name, quantile(values, 0.25)])
process.stdout.write(`${JSON.stringify(Object.fromEntries(quartiles))}\n`)

/** CPU µs per record over rounds that take `milliseconds` in all. */
async function microsOf(stage: Stage, milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds
  const started = process.cpuUsage()
  let done = 0
  while (performance.now() < until) {
    await stage.round()
    done += stage.records
  }
  const { user, system } = process.cpuUsage(started)
  return (user + system) / done
}
