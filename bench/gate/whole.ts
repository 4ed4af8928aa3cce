import { Bed } from '../bed.ts'
import { cpuOfPath, measure, type Run } from '../measure.ts'
import { BUDGET_MACHINE } from '../reference.ts'
import { median } from '../statistics.ts'
import { type BenchOptions, fullLoad } from '../suites/suite.ts'
import type { Measured } from './compare.ts'

const RECORDS = [500, 20]
const WARM_UP_SECONDS = 3
const RUN_SECONDS = 2
const RUNS = 3
/** Where others take more, the processes wait for each other, and that changes how much they do at once. */
const MAX_OTHERS = 0.3

/** The whole path with its processes and transports: what the stages leave out. */
export async function measureWhole(options: BenchOptions): Promise<Measured> {
  await using bed = await Bed.open()
  for (const records of RECORDS) {
    await bed.load({ ...fullLoad(options, records), seconds: WARM_UP_SECONDS })
    await bed.drained()
  }
  const runs = new Map<number, Run[]>(RECORDS.map((records) => [records, []]))
  for (let turn = 0; turn < RUNS; turn++) {
    for (const records of RECORDS) {
      runs.get(records)?.push(await measure(bed, { ...fullLoad(options, records), seconds: RUN_SECONDS }))
    }
  }
  return new Map(
    [...runs].map(([records, of]) => {
      const ratio = median(of.map((run) => cpuOfPath(run) / (run.slowness * BUDGET_MACHINE)))
      const busy = median(of.map(({ others }) => others)) > MAX_OTHERS
      return [`whole, ${records} records a request`, { ratio, judged: !busy }]
    }),
  )
}
