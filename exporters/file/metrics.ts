import type { BoundCounter, ComponentMetrics } from '../../src/telemetry/metrics.ts'

/** Why a file was closed: it was large, or old, or its day is over. */
export type RotationReason = 'size' | 'interval' | 'period'
/** Why a file was deleted. */
export type DeletionReason = 'max_days' | 'max_backups'
type Operation = 'write' | 'sync' | 'undo' | 'rotate' | 'compress' | 'delete' | 'look'

export interface FileCounters {
  readonly written: BoundCounter
  readonly compressed: BoundCounter
  rotated(reason: RotationReason): void
  deleted(reason: DeletionReason): void
  /** `reason`: the code of the system's error, or `disk_full`. */
  failed(operation: Operation, reason: string): void
}

export function fileCounters(metrics: ComponentMetrics): FileCounters {
  return {
    written: metrics.counter('sluice_file_written_bytes_total', 'Bytes of lines written to files.'),
    compressed: metrics.counter('sluice_file_compressed_total', 'Closed files that were compressed.'),
    rotated: (reason) =>
      metrics
        .counter(
          'sluice_file_rotated_total',
          'Files that were closed, by reason: `size`, `interval`, or `period` for a day or hour that is over.',
          { reason },
        )
        .inc(),
    deleted: (reason) =>
      metrics
        .counter('sluice_file_deleted_total', 'Closed files that were deleted, by the limit they passed.', {
          reason,
        })
        .inc(),
    failed: (operation, reason) =>
      metrics
        .counter('sluice_file_errors_total', "What could not be done, and the system's code for why.", {
          operation,
          reason,
        })
        .inc(),
  }
}
