import type { RedisConfig } from '../config.ts'

/** How full a buffer is: what `sluice_buffer_watermark_state` shows. */
export const OK = 0
export const WARN = 1
export const REFUSE = 2
export type Level = typeof OK | typeof WARN | typeof REFUSE

export type Marks = Pick<
  RedisConfig,
  'memory_warn_watermark' | 'memory_high_watermark' | 'memory_low_watermark'
>

/** A warning ends this far below the mark it began at, or it would come and go. */
const CALM = 0.02

/** The level after `level` at this share of a limit: refusing ends below the low mark only. */
export function nextLevel(level: Level, share: number, marks: Marks): Level {
  const { memory_warn_watermark: warn, memory_high_watermark: high, memory_low_watermark: low } = marks
  if (share >= high || (level === REFUSE && share >= low)) return REFUSE
  return share >= (level === OK ? warn : warn - CALM) ? WARN : OK
}
