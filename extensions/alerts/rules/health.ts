import { z } from 'zod'
import { duration } from '../../../src/config/fields.ts'
import type { ComponentStatus, ServiceStatus } from '../../../src/define.ts'
import { sumOf } from '../history.ts'
import { defineRule, severity } from './rule.ts'
import { count, seconds } from './units.ts'

const failed = defineRule({
  key: 'component_failed',
  name: 'SluiceComponentFailed',
  meaning: 'A component says that it cannot do its work.',
  action: 'The health answer and the log say what it lacks.',
  settings: { severity: severity('critical') },
  find(history, settings) {
    return componentsOf(history.status)
      .filter(([, { state }]) => state === 'failed')
      .map(([component, { detail }]) => ({
        labels: { component },
        severity: settings.severity,
        summary: `${component} has failed${detail === undefined ? '' : `: ${detail}`}`,
      }))
  },
})

const down = defineRule({
  key: 'process_down',
  name: 'SluiceProcessDown',
  meaning: 'A process of the service does not run or gives no answer; critical when no other does its work.',
  action: 'It is started again by itself; the log says how it ended.',
  settings: {},
  find(history) {
    return Object.entries(history.status?.processes ?? {}).flatMap(([process, { state, detail }]) => {
      if (detail === undefined) return []
      const found = state === 'failed' ? ('critical' as const) : ('warning' as const)
      return { labels: { process }, severity: found, summary: `${process} is down: ${detail}` }
    })
  },
})

const restarts = defineRule({
  key: 'process_restarts',
  name: 'SluiceProcessRestarts',
  meaning: 'A process of the service keeps ending and being started again.',
  action:
    'The log says how it ended: a signal from the kernel points at memory, an exit at an error before it.',
  settings: {
    severity: severity('warning'),
    max: z.int().nonnegative().default(2).describe('Raised for more restarts than this.'),
    window: duration().prefault('10m').describe('How far back it looks.'),
  },
  find(history, settings) {
    const grown = history.growth('sluice_process_restarts_total', settings.window)
    return [...Map.groupBy(grown, ({ labels }) => labels.process ?? '')].flatMap(([process, samples]) => {
      const times = sumOf(samples)
      if (times <= settings.max) return []
      const summary = `${process} was started again ${count(times, 'time')} in the last ${seconds(settings.window / 1000)}`
      return { labels: { process }, severity: settings.severity, summary }
    })
  },
})

export const healthRules = [failed, down, restarts]

/** The components of all processes; one that several processes have, once for each. */
function componentsOf(status: ServiceStatus | undefined): [string, ComponentStatus][] {
  const places = [status, ...Object.values(status?.processes ?? {})]
  return places.flatMap((place) => Object.entries(place?.components ?? {}))
}
