/**
 * What a log call with ten fields costs its caller: ours, pino and the plain OpenTelemetry SDK in one run, each to a
 * destination that does nothing; ours and the SDK also over OTLP/HTTP to a collector in another process, encoding,
 * batching and sending included. Of what the SDK is given so fast it drops most. `node sdk/bench/call.ts [rounds]`
 *
 * CPU is that of the whole process while a library logs: its collections of garbage and what it does between calls
 * count. Percentiles are of calls in runs of eight, since one call is too short for the clock. Libraries take turns, so
 * that a machine that is busy with other things disturbs all of them alike.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Contender, contenders } from './contenders.ts'
import { startNullCollector } from './null-collector.ts'

const RUN = 8
const RUNS_OF_TURN = 64
const TURNS = 20
const WARM_UP_ROUNDS = 5
const rounds = Number(process.argv[2] ?? 40)

interface Figures {
  cpu: number
  calls: number
  /** Nanoseconds a call, of each run. */
  readonly runs: number[]
}

/** One round of a library: with turns of the event loop in between, so that what it put off is done. */
async function round({ log }: Contender, figures: Figures): Promise<void> {
  const before = process.cpuUsage()
  for (let turn = 0; turn < TURNS; turn++) {
    for (let run = 0; run < RUNS_OF_TURN; run++) {
      const started = process.hrtime.bigint()
      for (let call = 0; call < RUN; call++) log(call)
      figures.runs.push(Number(process.hrtime.bigint() - started) / RUN)
    }
    await nextTurn()
  }
  const { user, system } = process.cpuUsage(before)
  figures.cpu += user + system
  figures.calls += TURNS * RUNS_OF_TURN * RUN
}

const none = (): Figures => ({ cpu: 0, calls: 0, runs: [] })
const measured = contenders(await startNullCollector()).map((contender) => ({ contender, figures: none() }))
for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const { contender } of measured) await round(contender, none())
for (let i = 0; i < rounds; i++)
  for (const { contender, figures } of measured) await round(contender, figures)

const micros = (nanos: number): string => (nanos / 1000).toFixed(2)
console.log(`Node ${process.version}, ${measured[0].figures.calls} calls each, microseconds a call`)
console.table(
  Object.fromEntries(
    measured.map(({ contender: { name }, figures: { cpu, calls, runs } }) => {
      runs.sort((a, b) => a - b)
      const at = (part: number): string => micros(runs[Math.floor(runs.length * part)])
      return [name, { CPU: (cpu / calls).toFixed(2), p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999) }]
    }),
  ),
)
process.exit()
