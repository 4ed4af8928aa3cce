import type { SpillOptions } from '../spill/options.ts'
import { Spill } from '../spill/spill.ts'
import type { CounterBook } from './counters.ts'
import type { Diagnostics } from './options.ts'
import { recordsOf } from './tally.ts'

/** Opens the spill of a pipe; without one, and where it cannot be opened, undefined. */
export function openSpill(
  options: SpillOptions | undefined,
  counters: CounterBook,
  diagnostics: Diagnostics,
): Spill | undefined {
  if (options === undefined) return undefined
  try {
    return new Spill(options, {
      damaged(lost, bytes) {
        counters.dropAll('spill_corrupt', lost)
        const known = `${recordsOf(lost)} log records are known to be lost`
        diagnostics.warn('spill', `${bytes} bytes on disk cannot be read; ${known}`)
      },
      warn: (kind, message) => diagnostics.warn(kind, message),
    })
  } catch (error) {
    diagnostics.warn('spill', `logs cannot be kept in ${options.directory}: ${(error as Error).message}`)
    return undefined
  }
}
