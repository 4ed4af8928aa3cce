import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pino } from 'pino'
import { otlp } from '../../../receivers/otlp/index.ts'
import { OtlpReceiver } from '../../../receivers/otlp/receiver.ts'
import { testContext } from '../../support/component.ts'

/** What the process that is fuzzed tells of itself. */
export interface LiveReport {
  /** Of the delay of its event loop since the last report, milliseconds. */
  readonly p99: number
  readonly max: number
  /** The longest that its own work kept the event loop, milliseconds of processor time: others use the machine as well. */
  readonly longestWork: number
  /** Bytes. */
  readonly rss: number
  /** Lines of its log at the level error: nobody planned what they tell of. */
  readonly errors: readonly string[]
}

export interface LivePorts {
  readonly grpc: number
  readonly http: number
}

const REPORT_MS = 5_000
const RESOLUTION_MS = 5
const ERROR = 50
const NANOSECONDS = 1e6
const PROTOCOLS = {
  grpc: { endpoint: '127.0.0.1:0', implementation: process.argv[2], read_timeout: '2s' },
  http: { endpoint: '127.0.0.1:0', read_timeout: '2s', read_header_timeout: '1s' },
}

const errors: string[] = []
const receiver = otlp.create(otlp.config.parse({ protocols: PROTOCOLS }), {
  ...testContext(),
  log: pino(
    {},
    {
      write(line: string) {
        if ((JSON.parse(line) as { level: number }).level >= ERROR) errors.push(line)
      },
    },
  ),
  push: async (batch) => batch.release(),
})
if (!(receiver instanceof OtlpReceiver)) throw new Error('not an OtlpReceiver')
await receiver.start()

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
let before = process.threadCpuUsage()
let longestWork = 0
setInterval(() => {
  const { user, system } = process.threadCpuUsage(before)
  before = process.threadCpuUsage()
  longestWork = Math.max(longestWork, (user + system) / 1000)
}, RESOLUTION_MS)
setInterval(() => {
  // The histogram counts the interval itself as well.
  const report: LiveReport = {
    p99: delay.percentile(99) / NANOSECONDS - RESOLUTION_MS,
    max: delay.max / NANOSECONDS - RESOLUTION_MS,
    longestWork,
    rss: process.memoryUsage.rss(),
    errors: errors.splice(0),
  }
  delay.reset()
  longestWork = 0
  process.send?.(report)
}, REPORT_MS)
process.on('disconnect', () => process.exit())
process.send?.({ grpc: receiver.port('grpc'), http: receiver.port('http') })
