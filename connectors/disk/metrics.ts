import type { GroupCommit } from '../../src/buffer/group-commit.ts'
import type { ComponentContext } from '../../src/define.ts'
import type { BoundCounter, ComponentMetrics } from '../../src/telemetry/metrics.ts'
import type { Group } from './group.ts'
import type { Space } from './space.ts'
import type { Store } from './store.ts'

export interface Counters {
  readonly pushed: BoundCounter
  readonly corrupt: BoundCounter
  refused(reason: string, records: number): void
  acked(group: string, records: number): void
  undecodable(group: string): void
  poison(group: string): void
  unreadable(group: string): void
  fenced(): void
}

export function makeCounters(metrics: ComponentMetrics, groups: readonly string[]): Counters {
  const acked = new Map(
    groups.map((group) => {
      const help = 'Log records that left the buffer as delivered.'
      return [group, metrics.counter('sluice_buffer_acked_log_records_total', help, { group })]
    }),
  )
  const dead = (pipeline: string, reason: 'undecodable' | 'deliveries'): BoundCounter =>
    metrics.counter(
      'sluice_dead_letter_elements_total',
      'Elements put in the dead-letter queue as they were, by reason: `undecodable`, or `deliveries` for too many.',
      { pipeline, reason },
    )
  const fenced = metrics.counter(
    'sluice_disk_fenced_segments_total',
    'Segment files that get no more, since writing or fdatasync failed.',
  )
  return {
    pushed: metrics.counter(
      'sluice_buffer_pushed_log_records_total',
      'Log records made durable in the buffer.',
    ),
    corrupt: metrics.counter(
      'sluice_buffer_corrupt_bytes_total',
      'Bytes of the buffer that were damaged, or half written when the process ended.',
    ),
    refused: (reason, records) =>
      metrics
        .counter(
          'sluice_buffer_refused_log_records_total',
          'Log records the buffer did not take, by reason.',
          {
            reason,
          },
        )
        .inc(records),
    acked: (group, records) => acked.get(group)?.inc(records),
    undecodable: (group) => {
      metrics
        .counter(
          'sluice_buffer_undecodable_elements_total',
          'Elements that were no batches, and went to the dead letters as they were.',
          { group },
        )
        .inc()
      dead(group, 'undecodable').inc()
    },
    poison: (group) => dead(group, 'deliveries').inc(),
    unreadable: (group) =>
      metrics
        .counter('sluice_buffer_read_errors_total', 'Attempts to read the buffer that failed.', { group })
        .inc(),
    fenced: () => fenced.inc(),
  }
}

export interface GaugeSources {
  readonly store: () => Store | undefined
  readonly space: Space
  readonly commit: GroupCommit
}

export function addGauges(
  { metrics, groups }: ComponentContext & { readonly groups: readonly string[] },
  { store, space, commit }: GaugeSources,
): void {
  for (const group of groups) {
    const of = (read: (group: Group) => number) => () => {
      const found = store()?.groups.get(group)
      return found ? read(found) : 0
    }
    const add = (name: string, help: string, read: (group: Group) => number): void => {
      metrics.gauge(name, help, { group }, of(read))
    }
    add('sluice_buffer_records', 'Log records in the buffer, in flight or not.', ({ held }) => held.records)
    add('sluice_buffer_bytes', 'Bytes of the elements in the buffer.', ({ held }) => held.bytes)
    add('sluice_buffer_elements', 'Elements in the buffer, in flight or not.', ({ held }) => held.elements)
    add('sluice_buffer_in_flight_elements', 'Elements that drains hold.', ({ inFlight }) => inFlight)
    add(
      'sluice_buffer_oldest_age_seconds',
      'How long ago the oldest batch in the buffer was received.',
      ({ ageMs }) => ageMs / 1000,
    )
  }
  const add = (name: string, help: string, read: () => number): void => {
    metrics.gauge(name, help, {}, read)
  }
  add(
    'sluice_buffer_pending_bytes',
    'Bytes on their way to the buffer, not yet acknowledged.',
    () => commit.pendingBytes,
  )
  add(
    'sluice_buffer_watermark_state',
    'How full the buffer is: 0 is well, 1 above the mark of warning, 2 while pushes are refused.',
    () => (space.isShort ? 2 : 0),
  )
  add('sluice_disk_used_bytes', 'Bytes that the buffer takes on the disk.', () => store()?.storage.bytes ?? 0)
  add('sluice_disk_free_bytes', 'Free bytes on the disk of the buffer.', () =>
    Number.isFinite(space.free) ? space.free : 0,
  )
  add('sluice_dead_letter_bytes', 'Bytes that dead letters take on the disk.', () => store()?.dead.bytes ?? 0)
  add(
    'sluice_dead_letter_records',
    'Log records in the dead-letter queue.',
    () => store()?.dead.held.records ?? 0,
  )
  add(
    'sluice_dead_letter_elements',
    'Elements in the dead-letter queue.',
    () => store()?.dead.held.elements ?? 0,
  )
}
