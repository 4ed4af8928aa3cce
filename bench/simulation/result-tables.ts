import type { Comparison } from './compare.ts'
import { isClose } from './compare.ts'
import { count, duration, figures, percent, table } from './format.ts'
import type { Summary } from './results.ts'

/** What the last `npm run simulate -- --validate` saw. */
export interface Validation {
  readonly machine: string
  /** Bytes of Redis memory for a byte of elements. */
  readonly memoryFactor: number
  readonly comparisons: readonly Comparison[]
}

const HEAD = [
  'scenario',
  'records/s',
  'peak backlog, minutes of load',
  'fullest Redis',
  'delay p50, p99',
  'worst p99 of 5 s',
  'sent back, seconds of load',
  'lost',
  'recovered after',
]

/** One line for each run. */
export function scenarioTable(summaries: readonly Summary[]): string {
  return table([HEAD, ...summaries.map(row)])
}

/** The real run beside the simulated ones. */
export function validationTable({ machine, comparisons }: Validation): string {
  const rows = comparisons.map((each) => {
    const { what, unit, real, simulated, least, most, difference, binding } = each
    const remark = isClose(each) ? (binding ? '' : ' (not asked for)') : ' **off**'
    return [
      what,
      `${count(real)} ${unit}`,
      `${count(simulated)} ${unit} (${count(least)}–${count(most)})`,
      `${difference >= 0 ? '+' : '−'}${figures(Math.abs(difference) * 100)} %${remark}`,
    ]
  })
  return table([[machine, 'real', 'simulated: median (least–most)', 'difference'], ...rows])
}

function row(summary: Summary): string[] {
  const { title, rate, peakBacklog, peakMemory, p50, p99, worstP99, refused, recoveryMs } = summary
  return [
    title,
    count(rate),
    figures(peakBacklog / rate / 60),
    percent(peakMemory),
    `${duration(p50)}, ${duration(p99)}`,
    duration(worstP99),
    refused === 0 ? '0' : count(refused / rate),
    lostText(summary),
    recoveryMs === null ? 'not in time' : recoveryMs === 0 ? 'at once' : duration(recoveryMs),
  ]
}

function lostText({ lost, issued }: Summary): string {
  const places = { queue_full: 'SDK queue', gave_up: 'SDK gave up', failover: 'failover' }
  const parts = Object.entries(places).flatMap(([loss, place]) => {
    const records = lost[loss as keyof typeof lost]
    return records === 0 ? [] : [`${count(records)} ${place}`]
  })
  if (parts.length === 0) return '0'
  const all = lost.queue_full + lost.gave_up + lost.failover
  return `${parts.join(', ')} (${percent(all / issued)})`
}
