import { z } from 'zod'
import { duration } from '../../../src/config/fields.ts'
import { sumOf } from '../history.ts'
import { quantile } from '../quantile.ts'
import { above, componentOf, defineRule, severity } from './rule.ts'
import { count, seconds } from './units.ts'

/** Over which the delay is measured. */
const MINUTE = 60_000

const down = defineRule({
  key: 'destination_down',
  name: 'SluiceDestinationDown',
  meaning: 'The destination does not take logs and is left alone between attempts; they wait in the buffer.',
  action: 'Look at the destination, and in the log of Sluice for what it answers.',
  settings: { severity: severity('warning') },
  find(history, settings) {
    return history
      .now('sluice_exporter_circuit_open')
      .filter(({ value }) => value > 0)
      .map(({ labels }) => ({
        labels: componentOf(labels),
        severity: settings.severity,
        summary: `${labels.exporter} does not take logs`,
      }))
  },
})

/** What exporters call an answer that says so, of a whole request or of some of its records. */
const UNAUTHORIZED = ['unauthorized', 'status_401', 'status_403']

const unauthorized = defineRule({
  key: 'destination_unauthorized',
  name: 'SluiceDestinationUnauthorized',
  meaning:
    'The destination says that Sluice may not write there (401, 403); nothing is given up, it waits in the buffer.',
  action:
    'Renew the key or password, or give its user the right to write to these indices; delivery goes on by itself.',
  settings: {
    severity: severity('critical'),
    window: duration()
      .prefault('1m')
      .describe('How far back it looks: longer than the max_interval of retries.'),
  },
  find(history, settings) {
    const failed = history
      .growth('sluice_exporter_failed_attempts_total', settings.window)
      .filter(({ labels, value }) => value > 0 && UNAUTHORIZED.includes(labels.reason ?? ''))
    return [...Map.groupBy(failed, ({ labels }) => labels.exporter ?? '')].map(([exporter, samples]) => ({
      labels: componentOf({ exporter }),
      severity: settings.severity,
      summary: `${exporter} may not write: ${count(sumOf(samples), 'attempt')} refused in the last ${seconds(settings.window / 1000)}`,
    }))
  },
})

const deadLetters = defineRule({
  key: 'dead_letters',
  name: 'SluiceDeadLetters',
  meaning: 'The destination has refused records for good; they are kept in the dead-letter queue.',
  action:
    'Look in the log for the reason (mappings, missing templates, too large), repair it and replay them.',
  settings: {
    warning: z.int().nonnegative().default(0).describe('Raised for more records than this.'),
    critical: z.int().nonnegative().default(1000).describe('Raised for more records than this.'),
    window: duration().prefault('10m').describe('How far back it looks.'),
  },
  find(history, { window, ...limits }) {
    return history.growth('sluice_dead_letter_log_records_total', window).flatMap(({ labels, value }) => {
      const found = above(value, limits)
      if (found === undefined) return []
      const { pipeline = '' } = labels
      const summary = `${count(value, 'record')} of ${pipeline} refused for good in the last ${seconds(window / 1000)}`
      return { labels: { ...componentOf(labels), group: pipeline }, severity: found, summary }
    })
  },
})

const delayed = defineRule({
  key: 'delivery_delay',
  name: 'SluiceDeliveryDelayed',
  meaning: 'Of what was delivered in the last minute, one in a hundred had been on its way for this long.',
  action: 'Look at the destination, and at the backlog that is worked off; add drains if it lasts.',
  settings: {
    warning: duration().prefault('2m').describe('From when a record was observed to its delivery.'),
    critical: duration().prefault('10m').describe('From when a record was observed to its delivery.'),
  },
  find(history, limits) {
    const grown = history.growth('sluice_end_to_end_latency_seconds_bucket', MINUTE)
    const byExporter = Map.groupBy(grown, ({ labels }) => labels.exporter ?? '')
    return [...byExporter].flatMap(([exporter, buckets]) => {
      const delay = quantile(
        0.99,
        buckets.map(({ labels, value }) => [Number(labels.le?.replace('+Inf', 'Infinity')), value]),
      )
      const found = delay === undefined ? undefined : above(delay * 1000, limits)
      if (delay === undefined || found === undefined) return []
      const summary = `delivery to ${exporter} takes ${seconds(delay)} (99th percentile of the last minute)`
      return { labels: componentOf({ exporter }), severity: found, summary }
    })
  },
})

export const deliveryRules = [down, unauthorized, deadLetters, delayed]
