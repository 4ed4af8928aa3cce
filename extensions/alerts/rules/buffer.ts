import { z } from 'zod'
import { bytes, duration } from '../../../src/config/fields.ts'
import { type History, sumOf } from '../history.ts'
import { above, componentOf, defineRule, severity } from './rule.ts'
import { count, mebibytes, seconds } from './units.ts'

const RECORDS = 'sluice_buffer_records'
const PUSHED = 'sluice_buffer_pushed_log_records_total'
const ACKED = 'sluice_buffer_acked_log_records_total'
const AGE = 'sluice_buffer_oldest_age_seconds'
const OVERFLOW_ACTIVE = 'sluice_overflow_active'

/** A rate over less than this says nothing. */
const SHORTEST_SPAN = 10_000
/** Over which times the traffic is measured: the highest rate counts, so that a burst is not held against itself. */
const SPANS = [15_000, 60_000, 300_000]

/** Refusals that are no trouble of the buffer. */
const HARMLESS = new Set(['cancelled', 'stopping'])

const backlog = defineRule({
  key: 'buffer_backlog',
  name: 'SluiceBufferBacklog',
  meaning: 'More waits in the buffer than arrives in this time: the drain does not keep up.',
  action:
    'Look at the destination first (SluiceDestinationDown, SluiceDeliveryDelayed); if it is well, add drains or processes.',
  settings: {
    warning: duration().prefault('1m').describe('Traffic of so long that waits.'),
    critical: duration().prefault('5m').describe('Traffic of so long that waits.'),
    min_traffic: z
      .number()
      .positive()
      .default(100)
      .describe(
        'Records per second that are assumed at least: what little traffic leaves behind is no backlog.',
      ),
  },
  find(history, { min_traffic, ...limits }) {
    return history.now(RECORDS).flatMap(({ labels, value }) => {
      const traffic = trafficOf(history, labels.connector ?? '', labels.group ?? '')
      if (traffic === undefined) return []
      const waits = value / Math.max(traffic, min_traffic)
      const found = above(waits * 1000, limits)
      if (found === undefined) return []
      const summary = `${count(value, 'record')} wait for ${labels.group}, as many as arrive in ${seconds(waits)}`
      return { labels: whose(labels), severity: found, summary }
    })
  },
})

const old = defineRule({
  key: 'buffer_age',
  name: 'SluiceBufferOld',
  meaning: 'The oldest record in the buffer has waited for long.',
  action:
    'If everything waits, the destination is down or too slow; if only this one does, look in the log for why it is tried again and again.',
  settings: {
    warning: duration().prefault('2m').describe('Age of the oldest record.'),
    critical: duration().prefault('5m').describe('Age of the oldest record.'),
  },
  find(history, limits) {
    return history.now(AGE).flatMap(({ labels, value }) => {
      const found = above(value * 1000, limits)
      if (found === undefined) return []
      const summary = `the oldest record for ${labels.group} has waited ${seconds(value)}`
      return { labels: whose(labels), severity: found, summary }
    })
  },
})

const stalled = defineRule({
  key: 'drain_stalled',
  name: 'SluiceDrainStalled',
  for: '1m',
  meaning: 'Records wait and none has left the buffer.',
  action:
    'Look whether the destination answers and the process that runs the drain is well; what waits is safe, and clients are refused when the buffer is full.',
  settings: { severity: severity('critical') },
  find(history, settings) {
    return history.now(RECORDS).flatMap(({ labels, value }) => {
      const { connector = '', group = '' } = labels
      const whole = { connector, group }
      const before = history.before(RECORDS, whole)?.[0]?.value ?? 0
      const reads = history.now(AGE, whole).length > 0
      // Where the records get fewer, somebody else drains.
      const isStuck = reads && before > 0 && value >= before
      const acked = sumOf(history.now(ACKED, whole)) - sumOf(history.before(ACKED, whole) ?? [])
      if (!isStuck || acked !== 0) return []
      const summary = `${count(value, 'record')} wait for ${group} and none is delivered`
      return { labels: whose(labels), severity: settings.severity, summary }
    })
  },
})

const watermark = defineRule({
  key: 'buffer_watermark',
  name: 'SluiceBufferNearlyFull',
  meaning: 'The buffer is above a watermark: from the upper one on it refuses logs.',
  action: 'Empty it faster (add drains, repair the destination) or give it more memory or disk.',
  settings: {},
  find(history) {
    return history.now('sluice_buffer_watermark_state').flatMap(({ labels, value }) => {
      if (value < 1) return []
      const component = componentOf(labels)
      return value >= 2
        ? { labels: component, severity: 'critical' as const, summary: 'the buffer is full and refuses logs' }
        : { labels: component, severity: 'warning' as const, summary: 'the buffer is nearly full' }
    })
  },
})

const refuses = defineRule({
  key: 'buffer_refuses',
  name: 'SluiceBufferRefuses',
  meaning: 'The buffer has refused logs; clients were told to send them again.',
  action:
    'The reason says why: full, disk_full and watermark ask for room or faster drains, policy and unreachable for the Redis server.',
  settings: {
    severity: severity('critical'),
    window: duration().prefault('30s').describe('How far back it looks.'),
  },
  find(history, settings) {
    // What a buffer with an overflow does not take, that takes, or counts as refused itself.
    const overflowing = new Set(history.now(OVERFLOW_ACTIVE).map(({ labels }) => labels.connector))
    return history
      .growth('sluice_buffer_refused_log_records_total', settings.window)
      .filter(({ labels, value }) => value > 0 && !HARMLESS.has(labels.reason ?? ''))
      .filter(({ labels }) => !overflowing.has(labels.connector))
      .map(({ labels, value }) => ({
        labels: { ...componentOf(labels), reason: labels.reason ?? '' },
        severity: settings.severity,
        summary: `${count(value, 'record')} refused in the last ${seconds(settings.window / 1000)} (${labels.reason})`,
      }))
  },
})

const overflow = defineRule({
  key: 'buffer_overflow',
  name: 'SluiceOverflowActive',
  meaning: 'What the buffer does not take goes to its overflow.',
  action:
    'See in health why the buffer does not take it. The overflow is given back by itself, and has room as its own alerts say.',
  settings: { severity: severity('warning') },
  find(history, settings) {
    return history.now(OVERFLOW_ACTIVE).flatMap(({ labels, value }) =>
      value > 0
        ? {
            labels: componentOf(labels),
            severity: settings.severity,
            summary: 'logs go to the overflow, because the buffer does not take them',
          }
        : [],
    )
  },
})

const diskSpace = defineRule({
  key: 'disk_space',
  name: 'SluiceDiskSpace',
  meaning: 'The disk of the buffer has little room left; below `min_free` the buffer refuses logs.',
  action: 'Free space on that disk, or repair the destination so that the buffer shrinks.',
  settings: {
    warning: bytes().prefault('2GiB').describe('Free bytes below which it is raised.'),
    critical: bytes().prefault('512MiB').describe('Free bytes below which it is raised.'),
  },
  find(history, { warning, critical }) {
    return history.now('sluice_disk_free_bytes').flatMap(({ labels, value }) => {
      // A buffer that has not opened yet knows of no disk.
      const isOpen = value > 0 || sumOf(history.now('sluice_disk_used_bytes', labels)) > 0
      if (!isOpen || value >= Math.max(warning, critical)) return []
      const found = value < critical ? ('critical' as const) : ('warning' as const)
      const summary = `the disk of the buffer has ${mebibytes(value)} free`
      return { labels: componentOf(labels), severity: found, summary }
    })
  },
})

export const bufferRules = [backlog, old, stalled, watermark, refuses, overflow, diskSpace]

/** Records per second that come in, or that leave where nothing comes in here; undefined while nobody can tell. */
function trafficOf(history: History, connector: string, group: string): number | undefined {
  const rates = SPANS.flatMap((window) => {
    const span = history.span(window)
    if (span < SHORTEST_SPAN) return []
    const pushed = sumOf(history.growth(PUSHED, window, { connector }))
    const acked = sumOf(history.growth(ACKED, window, { connector, group }))
    return (Math.max(pushed, acked) * 1000) / span
  })
  return rates.length > 0 ? Math.max(...rates) : undefined
}

function whose(labels: Readonly<Record<string, string>>) {
  return { ...componentOf(labels), ...(labels.group === undefined ? {} : { group: labels.group }) }
}
