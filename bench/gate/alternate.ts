import { Reference } from '../reference.ts'
import { median } from '../statistics.ts'
import { type Stage, stagesFor } from './stages.ts'

/**
 * Measures stages in turn with the reference loop, and prints one line of JSON: for each stage its CPU per record as a
 * multiple of the reference's, the median of many short turns. What slows the machine meets both alike.
 */
const WARM_UP_MS = 1500
/** Long enough to hold a few garbage collections, short beside the changes of the machine's speed. */
const TURN_MS = 60
const REFERENCE_SAMPLES = 4

const seconds = Number(process.argv[2])
const stages = [...(await stagesFor(500)), ...(await stagesFor(20))]
const reference = new Reference()
for (const stage of stages) await microsOf(stage, WARM_UP_MS)

const ratios = new Map<string, number[]>(stages.map(({ name }) => [name, []]))
const end = performance.now() + seconds * 1000
let before = referenceMicros()
while (performance.now() < end) {
  for (const stage of stages) {
    const taken = await microsOf(stage, TURN_MS)
    const after = referenceMicros()
    ratios.get(stage.name)?.push(taken / ((before + after) / 2))
    before = after
  }
}
const medians = [...ratios].map(([name, values]) => [name, median(values)])
process.stdout.write(`${JSON.stringify(Object.fromEntries(medians))}\n`)

/** CPU µs per record over rounds that take `milliseconds` in all. */
async function microsOf({ round, records }: Stage, milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds
  const started = process.cpuUsage()
  let done = 0
  while (performance.now() < until) {
    await round()
    done += records
  }
  const { user, system } = process.cpuUsage(started)
  return (user + system) / done
}

function referenceMicros(): number {
  let sum = 0
  for (let sample = 0; sample < REFERENCE_SAMPLES; sample++) sum += reference.sample()
  return sum / REFERENCE_SAMPLES
}
