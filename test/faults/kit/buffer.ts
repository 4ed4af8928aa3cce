import { eventually } from '../../e2e/sluice.ts'
import type { Destination, Path } from './path.ts'

/** Longer than the second at which the gauges of a Redis buffer are behind. */
const QUIET = 1_500

/** Waits until the buffer of a path has held nothing for a while. */
export async function bufferIsEmpty({ drains }: Path<Destination>, timeout: number): Promise<void> {
  let emptySince: number | undefined
  const isOver = async (): Promise<boolean> => {
    const held = (await drains[0].metrics()).sum('sluice_buffer_records')
    emptySince = held === 0 ? (emptySince ?? performance.now()) : undefined
    return emptySince !== undefined && performance.now() - emptySince > QUIET
  }
  await eventually('the buffer is empty', isOver, timeout)
}
