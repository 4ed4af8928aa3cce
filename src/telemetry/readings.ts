import type { Reading } from '../define.ts'
import type { Snapshot } from './metrics.ts'

/** The values of a snapshot, one by one. */
export function readingsOf(snapshot: Snapshot): Reading[] {
  return snapshot.flatMap(({ name, values }) =>
    values.map(({ labels, value, ...entry }) => ({
      // The values of a histogram have names of their own, which the type does not tell.
      name: 'metricName' in entry ? String(entry.metricName) : name,
      labels: Object.fromEntries(Object.entries(labels).map(([key, label]) => [key, String(label)])),
      value,
    })),
  )
}
