import { hostname } from 'node:os'
import { defineExtension } from '../../src/define.ts'
import { rateLimited } from '../../src/telemetry/logger.ts'
import type { ComponentMetrics } from '../../src/telemetry/metrics.ts'
import { type Clock, forwardClock } from './clock.ts'
import { AlertsConfig, type AlertsSettings } from './config.ts'
import { Alertmanager } from './receivers/alertmanager.ts'
import { Poster } from './receivers/http.ts'
import type { Receiver, Telling } from './receivers/receiver.ts'
import { Webhook } from './receivers/webhook.ts'
import { Watch } from './watch.ts'

const LOG_INTERVAL = 60_000
const OUTCOMES = ['sent', 'failed', 'rejected', 'dropped'] as const

/** Raises alerts itself, so that operators hear of trouble within 15 seconds and without rules of their own. */
export const alerts = defineExtension({
  type: 'alerts',
  summary: 'Tells Alertmanager and webhooks when something is wrong with the service.',
  config: AlertsConfig,
  example: {},

  create(settings, { log, metrics, readings, status }) {
    const troubles = rateLimited(log, LOG_INTERVAL)
    const gauge = (name: string, severity: string) =>
      metrics.gauge('sluice_alerts_firing', 'Alerts that fire.', { alertname: name, severity })
    const clock = forwardClock()
    const posters: Poster[] = []
    let receivers: Receiver[] = []
    let timer: NodeJS.Timeout | undefined
    let looking: Promise<void> | undefined

    const tellingOf = (receiver: string): Telling => ({
      ...countersOf(metrics, receiver),
      warn: (outcome, error) =>
        troubles.warn(
          `${receiver} ${outcome}`,
          { receiver, err: error instanceof Error ? error.message : String(error) },
          outcome === 'failed' ? 'alerts could not be told; trying again' : 'alerts were rejected',
        ),
    })
    const open = (httpSettings: ConstructorParameters<typeof Poster>[0]): Poster => {
      const poster = new Poster(httpSettings)
      posters.push(poster)
      return poster
    }

    return {
      async start() {
        receivers = receiversOf(settings, clock, open, tellingOf)
        const watch = new Watch({
          settings,
          readings,
          status,
          receivers,
          firing: (name, severity, count) => gauge(name, severity).set(count),
          log,
          troubles,
          clock,
        })
        const look = (): void => {
          looking ??= watch.look().finally(() => (looking = undefined))
        }
        look()
        timer = setInterval(look, settings.interval)
      },
      async stop() {
        clearInterval(timer)
        await looking
        await Promise.all(receivers.map((receiver) => receiver.stop()))
        await Promise.all(posters.splice(0).map((poster) => poster.close()))
      },
    }
  },
})

function receiversOf(
  { alertmanager, webhooks, instance = hostname(), labels }: AlertsSettings,
  clock: Clock,
  open: (settings: ConstructorParameters<typeof Poster>[0]) => Poster,
  tellingOf: (receiver: string) => Telling,
): Receiver[] {
  const sender = { instance, labels }
  const managers = (alertmanager?.urls ?? []).flatMap((url) => {
    if (alertmanager === undefined) return []
    const telling = tellingOf(`alertmanager/${new URL(url).host}`)
    return new Alertmanager({
      url,
      settings: alertmanager,
      poster: open(alertmanager),
      sender,
      telling,
      clock,
    })
  })
  const hooks = Object.entries(webhooks).map(
    ([name, webhook]) =>
      new Webhook({
        settings: webhook,
        poster: open(webhook),
        sender,
        telling: tellingOf(`webhook/${name}`),
      }),
  )
  return [...managers, ...hooks]
}

function countersOf(metrics: ComponentMetrics, receiver: string): Pick<Telling, 'count'> {
  const help = 'Messages to receivers of alerts, by what came of each attempt.'
  const counters = Object.fromEntries(
    OUTCOMES.map((outcome) => {
      const counter = metrics.counter('sluice_alerts_sent_total', help, { receiver, outcome })
      counter.inc(0)
      return [outcome, counter]
    }),
  )
  return { count: (outcome) => counters[outcome].inc() }
}
