import type { LogBatch } from '../../../src/logs/batch.ts'
import type { RedisConfig } from '../config.ts'

/** The highest severity numbers of OTLP that count as DEBUG, with TRACE, and as INFO. */
const DEBUG = 8
const INFO = 12

/**
 * What is left of a batch at this share of a limit: itself, or a fork without the records that give way. Those with
 * a severity of WARN and above never do, nor those without one. The fork knows what it dropped.
 */
export function shed(batch: LogBatch, share: number, { debug, info }: RedisConfig['shedding']): LogBatch {
  const highest = share >= (info ?? Infinity) ? INFO : share >= (debug ?? Infinity) ? DEBUG : 0
  if (highest === 0) return batch
  const left = batch.fork()
  left.forEach((record) => {
    const { severityNumber } = record
    if (severityNumber < 1 || severityNumber > highest) return
    record.drop(severityNumber > DEBUG ? 'shed_info' : 'shed_debug')
  })
  return left.size < batch.size ? left : batch
}
