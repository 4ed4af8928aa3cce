import { parseArgs } from 'node:util'
import { makeFrame, type Protocol } from './load/frames.ts'
import { closedLoop, openLoop } from './load/loops.ts'
import { openSenders } from './load/senders.ts'
import { type Latency, latencyOf } from './statistics.ts'

/**
 * An OTLP client that costs little: prepared requests over plain HTTP/2 or HTTP/1.1. Refused requests are sent again, as
 * an SDK would. Prints one line of JSON, a `LoadReport`, when it is done.
 */
export interface LoadReport {
  readonly requests: number
  readonly records: number
  readonly refused: number
  /** When the first request was sent, milliseconds since 1970. */
  readonly startedMs: number
  /** Until the last answer. */
  readonly seconds: number
  /** Until a request was accepted. */
  readonly latency: Latency
  /** Uncompressed. */
  readonly bytesPerRecord: number
  /** CPU time of this process, without that for preparing. */
  readonly cpuSeconds: number
  /** With it. */
  readonly allCpuSeconds: number
}

/** Unlike enough that compression does not see the same bytes again. */
const PREPARED_RECORDS = 20_000
const MAX_PREPARED_REQUESTS = 1000
const MAX_PREPARED_BYTES = 64 * 1024 * 1024

const { values } = parseArgs({
  options: {
    /** One or several, separated by commas. */
    target: { type: 'string', default: '127.0.0.1:4317' },
    protocol: { type: 'string', default: 'grpc' },
    gzip: { type: 'boolean', default: false },
    records: { type: 'string', default: '500' },
    recordBytes: { type: 'string', default: '1300' },
    sensitive: { type: 'string', default: '0.05' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '4' },
    /** Requests under way on each connection, without a rate. */
    inflight: { type: 'string', default: '4' },
    /** Records per second, sent whether or not the collector keeps up. */
    rate: { type: 'string' },
  },
})
const { gzip } = values
if (values.protocol !== 'grpc' && values.protocol !== 'http') {
  throw new Error(`--protocol is "${values.protocol}"; expected grpc or http`)
}
const protocol: Protocol = values.protocol
const rate = values.rate === undefined ? undefined : Number(values.rate)
if (gzip && rate !== undefined) {
  throw new Error('--rate writes the time of sending into each request, which --gzip does not allow')
}
const records = Number(values.records)
const recordBytes = Number(values.recordBytes)
const seconds = Number(values.seconds)
const inflight = Number(values.inflight)
// HTTP/1.1 has one request under way on a connection: for as many at once it takes more connections.
const multiplexed = protocol === 'grpc'
const senders = await openSenders({
  targets: values.target.split(','),
  protocol,
  connections: Number(values.connections) * (multiplexed ? 1 : inflight),
  gzip,
})
const prepared = Math.max(
  4,
  Math.min(
    Math.ceil(PREPARED_RECORDS / records),
    MAX_PREPARED_REQUESTS,
    Math.floor(MAX_PREPARED_BYTES / (records * recordBytes)),
  ),
)
const payload = { records, recordBytes, sensitive: Number(values.sensitive) }
const frames = Array.from({ length: prepared }, (_, seed) =>
  makeFrame({ ...payload, seed: seed + 1 }, protocol, gzip),
)
const plainBytes = makeFrame({ ...payload, seed: 1 }, 'http', false).bytes.length

const startedMs = Date.now()
const started = performance.now()
const cpuBefore = process.cpuUsage()
const traffic =
  rate === undefined
    ? await closedLoop({ senders, frames, inflight: multiplexed ? inflight : 1, seconds })
    : await openLoop({ senders, frames, requestsPerSecond: rate / records, seconds })
const cpuSeconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6
const elapsed = (performance.now() - started) / 1000
const report: LoadReport = {
  requests: traffic.requests,
  records: traffic.requests * records,
  refused: traffic.refused,
  startedMs,
  seconds: elapsed,
  latency: latencyOf(traffic.latencies),
  bytesPerRecord: plainBytes / records,
  cpuSeconds: cpuSeconds(process.cpuUsage(cpuBefore)),
  allCpuSeconds: cpuSeconds(process.cpuUsage()),
}
process.stdout.write(`${JSON.stringify(report)}\n`)
await Promise.all(senders.map((sender) => sender.close()))
